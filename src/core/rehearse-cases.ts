import type { Json } from './canonical-json';
import { EXISTENCE, type Operation } from './link';
import type { EntityPolicy, FieldPolicy } from './policy';
import { rawOf, type RehearsedValues } from './rehearse-values';
import type { RehearsedRecord } from './rehearsed-record';

export const CASE_KINDS = [
	'one-changes',
	'both-change',
	'both-change-alike',
	'one-empties',
	'empties-and-changes',
	'deletes-and-changes',
	'too-late',
	'one-deletes',
	'both-delete',
] as const;
export type CaseKind = (typeof CASE_KINDS)[number];

/** One thing that can happen to a record, in words and as it is played. */
export interface RehearsalCase {
	readonly kind: CaseKind;
	/** `∃`: the record as a whole. */
	readonly field: string;
	readonly happens: string;
	/** What users write, by system; null empties the field. */
	readonly writes: Readonly<Record<string, Json>>;
	/** Systems whose users delete the record. */
	readonly deletes: readonly string[];
	/** How much later, in milliseconds by the clocks, each system's user acts; 0 where it does not matter. */
	readonly laterMs: Readonly<Record<string, number>>;
	/** This system's user acts when the write that follows from the other's is on its way. */
	readonly late?: string;
}

/** What happens to a field: to each system alone, and to the one that has most to say together with each other one. */
export function casesOf(entity: EntityPolicy, field: FieldPolicy, values: RehearsedValues): RehearsalCase[] {
	const writers = [...field.columns.keys()].filter((system) => entity.tables.has(system));
	const lead = leadOf(field, writers);
	const pairs = writers.flatMap((system): [string, string][] => (lead === undefined || system === lead ? [] : [[lead, system]]));
	const single = writers.flatMap((system) => aloneCases(field, system, values));
	return [...single, ...pairs.flatMap(([a, b]) => pairCases(field, [a, b], values))];
}

function leadOf({ authority }: FieldPolicy, writers: readonly string[]): string | undefined {
	const named = authority.kind === 'owned' ? authority.owner : authority.resolve.kind === 'prefer' ? authority.resolve.system : undefined;
	return writers.find((system) => system === named) ?? writers[0];
}

function aloneCases(field: FieldPolicy, system: string, { one }: RehearsedValues): RehearsalCase[] {
	const { authority } = field;
	const who = authority.kind === 'owned' && authority.owner !== system ? `${system}, which does not own it,` : system;
	return [
		caseOf(field, 'one-changes', { happens: `${who} changes it`, writes: { [system]: one } }),
		caseOf(field, 'one-empties', { happens: `${who} empties it`, writes: { [system]: null } }),
	];
}

function pairCases(field: FieldPolicy, [a, b]: readonly [string, string], { one, other }: RehearsedValues): RehearsalCase[] {
	const bothWays = [[a, b], [b, a]] as const;
	return [
		...(other === undefined ? [] : bothChange(field, [a, b], [one, other])),
		caseOf(field, 'both-change-alike', { happens: `${a} and ${b} change it to the same value`, writes: { [a]: one, [b]: one } }),
		...bothWays.map(([x, y]) => caseOf(field, 'empties-and-changes', { happens: `${x} empties it while ${y} changes it`, writes: { [x]: null, [y]: one } })),
		...bothWays.map(([x, y]) => caseOf(field, 'deletes-and-changes', { happens: `${x} deletes the record while ${y} changes the field`, writes: { [y]: one }, deletes: [x] })),
		...(other === undefined
			? []
			: bothWays.map(([x, y]) => caseOf(field, 'too-late', { happens: `${x} changes it; before that is written to ${y}, ${y} changes it too`, writes: { [x]: one, [y]: other }, late: y }))),
	];
}

/** Where the size or the time of the changes decides, both ways round. */
function bothChange(field: FieldPolicy, [a, b]: readonly [string, string], [one, other]: readonly [Json, Json]): RehearsalCase[] {
	const { authority } = field;
	const happens = `${a} and ${b} change it differently`;
	const plain = { happens, writes: { [a]: one, [b]: other } };
	const strategy = authority.kind === 'shared' ? authority.resolve : null;
	if (strategy?.kind === 'latest') {
		const gap = strategy.toleranceMs + 60_000;
		return [
			caseOf(field, 'both-change', { ...plain, happens: `${happens}, at the same moment` }),
			...[a, b].map((later) => caseOf(field, 'both-change', { ...plain, happens: `${happens}, ${later} later`, laterMs: { [later]: gap } })),
		];
	}
	const isBySize = strategy !== null && ['max', 'min', 'longest'].includes(strategy.kind);
	const exchanged = caseOf(field, 'both-change', { happens: `${happens}, the values exchanged`, writes: { [a]: other, [b]: one } });
	return [caseOf(field, 'both-change', plain), ...(isBySize ? [exchanged] : [])];
}

/** What happens to the record as a whole. */
export function recordCases({ tables }: EntityPolicy): RehearsalCase[] {
	const systems = [...tables.keys()];
	const [first] = systems;
	return [
		...systems.map((system) => deletion('one-deletes', [system])),
		...systems.flatMap((system) => (first === undefined || system === first ? [] : [deletion('both-delete', [first, system])])),
	];
}

function deletion(kind: CaseKind, deletes: readonly string[]): RehearsalCase {
	const verb = deletes.length === 1 ? 'deletes' : 'delete';
	return { kind, field: EXISTENCE, happens: `${deletes.join(' and ')} ${verb} the record`, writes: {}, deletes, laterMs: {} };
}

function caseOf(field: FieldPolicy, kind: CaseKind, given: Partial<RehearsalCase> & Pick<RehearsalCase, 'happens' | 'writes'>): RehearsalCase {
	return { kind, field: field.name, deletes: [], laterMs: {}, ...given };
}

/** Plays the case on the record. @returns why that is not possible; null when it was */
export function play(record: RehearsedRecord, one: RehearsalCase): string | null {
	const edits = Object.entries(one.writes).map(([system, canon]) => ({ system, ...editOf(record, { system, field: one.field, canon }) }));
	const problem = edits.find(({ refused }) => refused !== null)?.refused;
	if (problem != null) return problem;
	for (const system of one.deletes) record.delete(system);
	for (const { system, column, raw } of edits) {
		if (system === one.late) continue;
		record.edit(system, column, raw, one.laterMs[system]);
	}
	const late = edits.find(({ system }) => system === one.late);
	if (late !== undefined && !playLate(record, late)) return `nothing is written to ${late.system}, so that nothing can come too late there`;
	return record.settle() ? null : 'the rules do not come to rest';
}

interface Edit {
	readonly system: string;
	readonly column: string;
	readonly raw: Json;
}

/** The user is quicker than the write. @returns false when there is none to be late */
function playLate(record: RehearsedRecord, { system, column, raw }: Edit): boolean {
	const ops = record.decide();
	const late: Operation | undefined = ops.find((op) => op.system === system);
	if (late === undefined) return false;
	record.edit(system, column, raw);
	for (const op of ops) record.apply(op);
	return true;
}

/** The column that the user of a system changes, and what is put there. */
export function editOf({ entity }: RehearsedRecord, { system, field: name, canon }: { system: string; field: string; canon: Json }): { column: string; raw: Json; refused: string | null } {
	const field = entity.fields.get(name);
	const column = field?.columns.get(system)?.column ?? '';
	const said = field === undefined ? null : rawOf(entity, system, field, canon);
	const isKey = entity.tables.get(system)?.key.includes(column) ?? false;
	if (said === null) return { column, raw: null, refused: canon === null ? `${system} cannot be empty there` : `${system} cannot hold the sample` };
	return { column, raw: said.raw, refused: said.raw === null && isKey ? `it is part of the key of ${system}, which is never empty` : null };
}
