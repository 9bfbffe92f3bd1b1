import fc from 'fast-check';
import type { ChangeEvent } from '../../src/core/change-event';
import type { Json } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { EXISTENCE, type LinkState } from '../../src/core/link';
import type { Choice } from '../../src/core/resolve';
import type { StoredMode } from '../../src/core/journal';
import { freezeRecord } from '../../src/store/freeze-record';
import { joinRecords, partRecord } from '../../src/store/link-by-hand';
import { SIMULATED_ENTITY, SIMULATED_POLICY } from './simulated-policy';
import type { SimulatedSync } from './simulated-sync';
import type { Statement } from './simulated-users';

/** Something that happens in a random history. Numbers are taken modulo what there is. */
export type Command =
	| { readonly do: 'user'; readonly system: number; readonly statements: readonly Statement[] }
	| { readonly do: 'emit'; readonly system: number; readonly size: number; readonly maim: Maim }
	| { readonly do: 'wake'; readonly system: number }
	| { readonly do: 'step'; readonly which: number }
	| { readonly do: 'crash'; readonly which: number; readonly zombie: boolean }
	| { readonly do: 'redeliver'; readonly system: number; readonly from: number; readonly size: number }
	| { readonly do: 'down'; readonly system: number; readonly down: boolean }
	| { readonly do: 'contend' }
	| { readonly do: 'mode'; readonly mode: StoredMode }
	| { readonly do: 'answer'; readonly which: number; readonly choice: ChoiceKind }
	| { readonly do: 'part'; readonly which: number; readonly system: number }
	| { readonly do: 'join'; readonly which: number; readonly other: number }
	| { readonly do: 'hold'; readonly which: number; readonly action: 'freeze' | 'unfreeze'; readonly fields: readonly string[] | 'record' };

/** What a node before Echo Filter does with a batch. */
type Maim = 'nothing' | 'drop all' | 'drop the first' | 'turn round' | 'repeat';
export type ChoiceKind = 'dismiss' | 'retry' | 0 | 1 | 2;

const MAIM: Readonly<Record<Maim, (events: ChangeEvent[]) => ChangeEvent[]>> = {
	nothing: (events) => events,
	'drop all': () => [],
	'drop the first': (events) => events.slice(1),
	'turn round': (events) => [...events].reverse(),
	repeat: (events) => [...events, ...events],
};

const MODES: readonly StoredMode[] = ['live', 'live', 'shadow', 'stopped', 'first-contact'];
const RECORDS = ['r1', 'r2'];
const SYSTEMS = fc.nat({ max: 5 });

/** Few values, so that users often write the same; or none twice, so that every value has one author. */
function valueOf({ unique, values = ['x', 'y', 'z', '', null] }: CommandOptions): fc.Arbitrary<Json> {
	return unique ? fc.uuid().map((id) => id.slice(0, 8)) : fc.constantFrom(...values);
}

export interface CommandOptions {
	readonly fields: readonly string[];
	/** No value is written twice. */
	readonly unique: boolean;
	/** What users write; a few texts and null unless it says otherwise. */
	readonly values?: readonly Json[];
	/** Users also change primary keys, and what identifies a record. */
	readonly moves: boolean;
	/** People also freeze fields and records, and let go of them. */
	readonly holds?: boolean;
	/** People also say which rows are one record, and which are not. */
	readonly relinks?: boolean;
}

function statementOf(options: CommandOptions): fc.Arbitrary<Statement> {
	const { fields, moves } = options;
	const record = fc.constantFrom(...RECORDS);
	const values = fc.dictionary(fc.constantFrom(...fields), valueOf(options), { minKeys: 1, noNullPrototype: true });
	const insert = fc.tuple(record, values).map(([ref, rest]): Statement => ({ do: 'insert', fields: { ...rest, ref } }));
	const key = fc.constantFrom('1', '2', '1001', '1002', '77');
	const ref = fc.constantFrom<Json>(...RECORDS, 'r3', null).map((value) => ({ ref: value }));
	const weight = moves ? 2 : 0;
	return fc.oneof(
		{ weight: 12, arbitrary: fc.record({ do: fc.constant('set' as const), record, fields: values }) },
		{ weight: 3, arbitrary: insert },
		{ weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), record }) },
		{ weight, arbitrary: fc.record({ do: fc.constant('rekey' as const), record, key }) },
		{ weight, arbitrary: fc.record({ do: fc.constant('set' as const), record, fields: ref }) },
	);
}

/** Random things that happen; about half of them are steps of executions. */
export function commandOf(options: CommandOptions): fc.Arbitrary<Command> {
	const statements = fc.array(statementOf(options), { minLength: 1, maxLength: 3 });
	const maim = fc.oneof(
		{ weight: 8, arbitrary: fc.constant<Maim>('nothing') },
		{ weight: 1, arbitrary: fc.constantFrom<Maim>('drop all', 'drop the first', 'turn round', 'repeat') },
	);
	const choice = fc.constantFrom<ChoiceKind>('dismiss', 'retry', 0, 1, 2);
	const size = fc.integer({ min: 1, max: 4 });
	const system = SYSTEMS;
	return fc.oneof(
		{ weight: 20, arbitrary: fc.record({ do: fc.constant('step' as const), which: fc.nat({ max: 5 }) }) },
		{ weight: 8, arbitrary: fc.record({ do: fc.constant('user' as const), system, statements }) },
		{ weight: 8, arbitrary: fc.record({ do: fc.constant('emit' as const), system, size, maim }) },
		{ weight: 2, arbitrary: fc.record({ do: fc.constant('wake' as const), system }) },
		{
			weight: 1,
			arbitrary: fc.record({ do: fc.constant('crash' as const), which: fc.nat({ max: 5 }), zombie: fc.boolean() }),
		},
		{ weight: 1, arbitrary: fc.record({ do: fc.constant('redeliver' as const), system, from: fc.nat({ max: 20 }), size }) },
		{ weight: 1, arbitrary: fc.record({ do: fc.constant('down' as const), system, down: fc.boolean() }) },
		{ weight: 1, arbitrary: fc.constant<Command>({ do: 'contend' }) },
		{ weight: 1, arbitrary: fc.constantFrom(...MODES).map((mode): Command => ({ do: 'mode', mode })) },
		{ weight: 1, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat({ max: 5 }), choice }) },
		{ weight: options.holds ? 2 : 0, arbitrary: holdOf(options) },
		{ weight: options.relinks ? 2 : 0, arbitrary: fc.record({ do: fc.constant('part' as const), which: fc.nat({ max: 5 }), system }) },
		{ weight: options.relinks ? 2 : 0, arbitrary: fc.record({ do: fc.constant('join' as const), which: fc.nat({ max: 5 }), other: fc.nat({ max: 5 }) }) },
	);
}

function holdOf({ fields }: CommandOptions): fc.Arbitrary<Command> {
	return fc.record({
		do: fc.constant('hold' as const),
		which: fc.nat({ max: 5 }),
		action: fc.constantFrom('freeze' as const, 'unfreeze' as const),
		fields: fc.oneof(fc.subarray([...fields, EXISTENCE], { minLength: 1 }), fc.constant('record' as const)),
	});
}

/** Lets one command happen, if it can. */
export async function perform(sync: SimulatedSync, command: Command): Promise<void> {
	const { systems } = sync.options;
	const at = (index: number): string => systems[index % systems.length] ?? '';
	const executionAt = (index: number) => sync.executions[index % Math.max(1, sync.executions.length)];
	switch (command.do) {
		case 'user':
			return sync.user(at(command.system), command.statements);
		case 'emit':
			sync.emit(at(command.system), command.size, MAIM[command.maim]);
			return;
		case 'wake':
			sync.wake(at(command.system));
			return;
		case 'step': {
			const execution = executionAt(command.which);
			if (execution) await sync.step(execution);
			return;
		}
		case 'crash': {
			const execution = executionAt(command.which);
			if (execution) sync.crash(execution, command.zombie);
			return;
		}
		case 'redeliver':
			sync.redeliver(at(command.system), command.from, command.size);
			return;
		case 'down':
			return sync.setDown(at(command.system), command.down);
		case 'mode':
			await sync.store.setMode(SIMULATED_POLICY, command.mode);
			return;
		case 'contend':
			sync.contention += 1;
			return;
		default:
			return await act(sync, command, at);
	}
}

/** What people do to the sync itself. */
async function act(sync: SimulatedSync, command: Extract<Command, { do: 'answer' | 'part' | 'join' | 'hold' }>, at: (system: number) => string): Promise<void> {
	switch (command.do) {
		case 'answer':
			return await answer(sync, command.which, command.choice);
		case 'hold': {
			const links = sync.links();
			const link = links[command.which % Math.max(1, links.length)];
			if (link) await hold(sync, link.state, command);
			return;
		}
		default:
			return await relink(sync, command, at);
	}
}

/** A person freezes a record or some of its fields, or lets go of them, found by a row that one of the systems has or had. */
async function hold({ store }: SimulatedSync, { keys }: LinkState, { action, fields }: Extract<Command, { do: 'hold' }>): Promise<void> {
	const [row] = Object.entries(keys);
	if (!row) return;
	const [system, key] = row;
	const record = { system, entity: SIMULATED_ENTITY, key };
	const frozen = freezeRecord(store, { policy: SIMULATED_POLICY, record, action, fields, by: 'person', reason: 'being looked at' });
	await frozen.catch((error: unknown) => {
		// The key leads to another record by now, or to none.
		if (!(error instanceof SyncError) || error.code !== 'RECORD_UNKNOWN') throw error;
	});
}

/** A person takes a row out of its link, or says that two links are one; what cannot be is refused. */
async function relink(sync: SimulatedSync, command: Extract<Command, { do: 'part' | 'join' }>, at: (system: number) => string): Promise<void> {
	const links = sync.links().map(({ state }) => ({ link: state.id }));
	const linkAt = (index: number): { link: string } | undefined => links[index % Math.max(1, links.length)];
	const [record, other] = [linkAt(command.which), command.do === 'join' ? linkAt(command.other) : undefined];
	if (!record) return;
	const about = { policy: SIMULATED_POLICY, by: 'person' };
	try {
		if (command.do === 'part') await partRecord(sync.watchedStore(), { ...about, record, system: at(command.system) });
		else if (other) await joinRecords(sync.watchedStore(), { ...about, records: [record, other] });
		sync.watch.acts += 1;
	} catch (error) {
		if (!(error instanceof SyncError) || !['CANNOT_LINK', 'CANNOT_PART'].includes(error.code)) throw error;
	}
}

/** In the end nothing is frozen any more. */
export async function letGoOfAll(sync: SimulatedSync): Promise<void> {
	for (const { state } of sync.links()) await hold(sync, state, { do: 'hold', which: 0, action: 'unfreeze', fields: 'record' });
}

/** A person answers one of the open reviews. */
export async function answer(sync: SimulatedSync, which: number, choice: ChoiceKind): Promise<void> {
	const open = sync.openReviews();
	const review = open[which % Math.max(1, open.length)];
	if (!review) return;
	await sync.answer(review.id, choiceOf(sync, choice));
}

function choiceOf({ options: { systems } }: SimulatedSync, choice: ChoiceKind): Choice {
	if (typeof choice !== 'number') return { kind: choice };
	return { kind: 'apply', system: systems[choice % systems.length] ?? '' };
}
