import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';

import type { ChangeEvent } from '../../../src/core/change-event';
import { type AloneLab, openAloneLab, replayed, steppedBack } from '../../support/alone-lab';
import { AloneProcesses, type Death, type Execution } from '../../support/alone-process';
import { seededRandom } from '../../support/seeded-random';
import { waitUntil } from '../../support/wait-until';

/** Half of them while rows are read, the others while changes are; 20 take a few minutes. */
const KILLS = Number(process.env['ALONE_KILLS'] ?? 2);
const random = seededRandom(Number(process.env['PROPERTY_SEED'] ?? 7));
const KILLS_OF_ROWS = Math.ceil(KILLS / 2);
const PAGE = 100;
const ROWS = { items: 3_000 * KILLS_OF_ROWS, others: 1_000 * KILLS_OF_ROWS };
/** Executions with rows between two deaths, so that all of them come before the last row. */
const PAGES = Math.floor((ROWS.items + ROWS.others) / PAGE / (KILLS_OF_ROWS + 1));
const TABLES = Object.keys(ROWS) as (keyof typeof ROWS)[];

/** Longer than acknowledgements are gathered: what is noted or acknowledged too early has been by then. */
const LONG_MS = 1_300;

function deathOf(kill: number): Death {
	const isOfRows = kill <= KILLS_OF_ROWS;
	const of = isOfRows ? ({ among: 'rows', nth: PAGES - random.below(5) } as const) : ({ among: 'changes', nth: 15 + random.below(20) } as const);
	if (KILLS === 2) return { ...of, at: 'begin', afterMs: LONG_MS };
	const at = random.oneOf(['begin', 'end', 'later'] as const);
	return { ...of, at, afterMs: random.oneOf([0, 1 + random.below(12), at === 'later' ? 0 : LONG_MS]) };
}

/** Edits rows all over the tables until it is told to stop; `v` counts the edits of a row. */
function users(lab: AloneLab): { stop(): Promise<void> } {
	let isOver = false;
	const work = async (): Promise<void> => {
		for (let n = 0; !isOver; n += 1) {
			const [item, other] = [1 + random.below(ROWS.items), 1 + random.below(ROWS.others)];
			await lab.sql(`update items set v = v + 1 where id = ${item}; update others set v = v + 1 where id = ${other}; select pg_sleep(0.005)`);
			if (n % 3 === 0) await lab.sql(`delete from items where id = ${1 + random.below(ROWS.items)}`);
			if (n % 5 === 0) await lab.sql(`insert into items values (${10_000_000 + n}, 0)`);
			if (n % 7 === 0) await lab.sql(`update items set id = ${20_000_000 + n} where id = ${1 + random.below(ROWS.items)}`);
		}
	};
	const working = work();
	return {
		async stop() {
			isOver = true;
			await working;
		},
	};
}

let lab: AloneLab;
let n8n: AloneProcesses;
beforeEach(async () => {
	n8n = new AloneProcesses(KILLS + 1);
	lab = await openAloneLab('alone-killed');
	for (const table of TABLES) await lab.sql(`create table ${table} (id int primary key, v int not null); insert into ${table} select n, 0 from generate_series(1, ${ROWS[table]}) n; analyze ${table}`);
});
afterEach(async () => {
	await n8n.close();
	await lab.close();
});

async function start(death: Death | null): Promise<ChildProcess> {
	const parameters = { connectWith: 'postgres', useStore: false, tables: TABLES.join(', '), existingRows: 'initial', publication: lab.slot, slot: lab.slot, options: { maxChanges: PAGE, maxWaitMs: 20 } };
	return await n8n.start({ parameters, credentials: { postgres: { ...lab.database.settings, ssl: 'disable' } }, death });
}

const eventsOf = (executions: readonly Execution[]): ChangeEvent[] => executions.flatMap(({ events }) => events);

/** Each event where it came first, as whoever keeps count by `changeId` has them. */
function withoutRepeats(events: readonly ChangeEvent[]): ChangeEvent[] {
	const seen = new Set<string>();
	return events.filter(({ changeId }) => {
		const isFirst = !seen.has(changeId);
		seen.add(changeId);
		return isFirst;
	});
}

async function expectTables(events: readonly ChangeEvent[]): Promise<void> {
	for (const table of TABLES) {
		const { rows } = await lab.database.pool.query<{ id: number; v: number }>(`select id, v from ${table}`);
		const seen = [...replayed(events, `public.${table}`).values()].map((row) => `${String(row?.['id'])} ${String(row?.['v'])}`);
		expect(seen.sort()).toEqual(rows.map(({ id, v }) => `${id} ${v}`).sort());
	}
}

/** Rows that a life read although an earlier one had come to the end of an execution with them. */
function readAgain(executions: readonly Execution[], life: number): string[] {
	const names = (some: readonly Execution[]): string[] => eventsOf(some).flatMap(({ op, entity, key }) => (op === 'r' ? [`${entity} ${String(key['id'])}`] : []));
	const before = new Set(names(executions.filter((one) => one.life < life && one.isDone)));
	return names(executions.filter((one) => one.life === life)).filter((name) => before.has(name));
}

/** Where an event came again, it said the same. */
function expectSameRepeats(events: readonly ChangeEvent[]): void {
	const first = new Map(withoutRepeats(events).map((event) => [event.changeId, event]));
	expect(events.filter((event) => !isDeepStrictEqual(event, first.get(event.changeId)))).toEqual([]);
}

/** What an execution had that did not come to its end comes again; rows as they are by then, which the tables tell. */
function expectNothingDropped(all: readonly Execution[]): void {
	const dropped = eventsOf(all.filter(({ isDone }) => !isDone)).filter(({ op }) => op !== 'r');
	const done = new Set(eventsOf(all.filter(({ isDone }) => isDone)).map(({ changeId }) => changeId));
	expect(dropped.filter(({ changeId }) => !done.has(changeId))).toEqual([]);
}

/** One life after the other, while users work, until the last one has seen all. */
async function live(): Promise<void> {
	const working = users(lab);
	try {
		for (let kill = 1; kill <= KILLS; kill += 1) {
			const [, signal] = (await once(await start(deathOf(kill)), 'exit')) as [number | null, string | null];
			expect(signal).toBe('SIGKILL');
		}
		await start(null);
		await waitUntil('the last life to read changes', () => n8n.executions().some(({ life }) => life === KILLS + 1));
	} finally {
		await working.stop();
	}
	await lab.waitUntilAcknowledged();
}

test(
	'killed while it reads rows and while it reads changes, it goes on where it was, and misses nothing',
	async () => {
		await live().catch((error: unknown) => {
			process.stderr.write(`${n8n.logs().slice(-20).join('\n')}\n`);
			throw error;
		});
		const all = n8n.executions();
		const lives = Array.from({ length: KILLS + 1 }, (_, at) => all.filter(({ life }) => life === at + 1));
		await expectTables(eventsOf(all.filter(({ isDone }) => isDone)));
		await expectTables(eventsOf(all));
		expectSameRepeats(eventsOf(all));
		expectNothingDropped(all);
		expect(steppedBack(withoutRepeats(eventsOf(all)), 'v')).toEqual([]);
		for (const life of lives) expect(steppedBack(eventsOf(life), 'v')).toEqual([]);
		// The pages that were under way, and those of which n8n had not yet stored that they were read.
		for (const life of lives.keys()) expect(readAgain(all, life + 1).length).toBeLessThanOrEqual(4 * PAGE);
		expect(eventsOf(lives[0] ?? []).filter(({ op }) => op === 'r').length).toBeGreaterThanOrEqual(10 * PAGE);
	},
	60_000 + KILLS * 20_000,
);
