import type { Row } from '../../../src/core/mapping';
import { apiOf, type EntityPolicy, type Policy } from '../../../src/core/policy';
import { editOf, type RehearsalCase } from '../../../src/core/rehearse-cases';
import { playPolicy, type PlayedCase, type PolicyRehearsal, rehearsalOf } from '../../../src/core/rehearse-policy';
import { fieldTitle } from '../../../src/core/sign-off-words';
import { byTable, createTables, tableRows } from './invented-tables';
import { type EntityRows, referredRows } from './referred-rows';
import { type CarriedOut, type ScenarioDocument, scenarioOf, type Stage } from './scenario-of-case';

export interface GeneratedScenarios {
	/** What the rules alone come to, for people to sign. */
	readonly rehearsal: PolicyRehearsal;
	readonly scenarios: readonly { readonly file: string; readonly document: ScenarioDocument }[];
	/** Cases without a scenario, with the reason. */
	readonly left: readonly string[];
}

/** Closer together than this, nobody can act in two databases on purpose. */
const SAME_MOMENT_MS = 10_000;

/**
 * A scenario for each case of a policy: invented tables with the columns that it names, the edit or edits, and what the rules
 * alone come to as the expectation.
 *
 * @param file - of the policy, as the scenarios name it
 */
export function generateScenarios(policy: Policy, file: string): GeneratedScenarios {
	const cases = playPolicy(policy);
	const found = [...policy.entities.values()].map((entity) => ofEntity(policy, { entity, cases: cases.filter(({ said }) => said.entity === entity.name), file }));
	return { rehearsal: rehearsalOf(policy, cases), scenarios: found.flatMap(({ scenarios }) => scenarios), left: found.flatMap(({ left }) => left) };
}

type Found = Pick<GeneratedScenarios, 'scenarios' | 'left'>;

function ofEntity(policy: Policy, { entity, cases, file }: { entity: EntityPolicy; cases: readonly PlayedCase[]; file: string }): Found {
	const ready: CarriedOut[] = [];
	const left: string[] = [];
	for (const { said, one, begun, record } of cases) {
		const why = said.cannot ?? (one === null ? null : whyNot(entity, one));
		if (why === null && one !== null && record !== null) ready.push({ one, begun, record });
		else left.push(nameOf(entity, said, why));
	}
	const stage = stageOf(policy, entity, { ready, file });
	if (typeof stage === 'string') return { scenarios: [], left: [...left, ...ready.map(({ one }) => nameOf(entity, one, stage))] };
	const scenarios = ready.map((carried, place) => ({ file: fileOf(entity, carried.one, place), document: scenarioOf(carried, stage) }));
	return { scenarios, left };
}

function nameOf({ name }: EntityPolicy, { field, happens }: Pick<RehearsalCase, 'field' | 'happens'>, why: string | null): string {
	return `${[name, fieldTitle(field), ...(happens === '' ? [] : [happens])].join(', ')}: ${why ?? 'it cannot be played'}`;
}

function fileOf({ name }: EntityPolicy, { field, kind }: RehearsalCase, place: number): string {
	const plain = [name, fieldTitle(field), kind].join('-').replaceAll(/[^\p{L}\p{N}-]+/gu, '-');
	return `${plain}-${String(place + 1).padStart(3, '0')}.yaml`;
}

/** Why the rules can play the case, and databases cannot; null: they can. */
function whyNot({ fields }: EntityPolicy, { field, kind, laterMs }: RehearsalCase): string | null {
	const authority = fields.get(field)?.authority;
	const isByTime = kind === 'both-change' && authority?.kind === 'shared' && authority.resolve.kind === 'latest';
	if (!isByTime || Object.keys(laterMs).length > 0 || authority.resolve.toleranceMs >= SAME_MOMENT_MS) return null;
	return 'two databases do nothing at exactly the same moment';
}

/** Tables of all entities, since the triggers look for them, and the rows that the record and those it names start with. */
function stageOf(policy: Policy, entity: EntityPolicy, { ready, file }: { ready: readonly CarriedOut[]; file: string }): Stage | string {
	const api = policy.systems.find((system) => [...policy.entities.values()].some((one) => apiOf(one, system) !== null));
	if (api !== undefined) return `${api} is reached through an API, which cannot be invented`;
	const referred = referredRows(policy, entity);
	if (typeof referred === 'string') return referred;
	const [first] = ready;
	const own: EntityRows = { entity, rows: new Map([...(first?.begun.rows ?? [])].map(([system, row]) => [system, [row]])) };
	const all = [own, ...referred];
	const setup = policy.systems.map((system) => [system, [...policy.entities.values()].flatMap((one) => tablesOf(one, { system, all, ready }))] as const);
	const given = policy.systems.map((system) => [system, byTable(all.flatMap((one) => rowsIn(one, system)))] as const);
	return { policy: file, setup: Object.fromEntries(setup), given: Object.fromEntries(given) };
}

function tablesOf(entity: EntityPolicy, { system, all, ready }: { system: string; all: readonly EntityRows[]; ready: readonly CarriedOut[] }): string[] {
	const binding = entity.tables.get(system);
	if (binding === undefined) return [];
	const given = all.filter((one) => one.entity === entity).flatMap(({ rows }) => rows.get(system) ?? []);
	const seen = ready.filter(({ begun }) => begun.entity === entity).flatMap((carried) => rowsSeen(carried, system));
	const columns = [...entity.fields.values()].flatMap((field) => field.columns.get(system)?.column ?? []);
	return createTables(entity, binding, [Object.fromEntries(columns.map((column) => [column, null])), ...given, ...seen]);
}

/** The row as it ends, and what its users put into it meanwhile. */
function rowsSeen({ one, begun, record }: CarriedOut, system: string): Row[] {
	const canon = one.writes[system];
	const edit = canon === undefined ? null : editOf(begun, { system, field: one.field, canon });
	return [record.rows.get(system) ?? {}, ...(edit === null ? [] : [{ [edit.column]: edit.raw }])];
}

function rowsIn({ entity, rows }: EntityRows, system: string): ReturnType<typeof tableRows> {
	const binding = entity.tables.get(system);
	return binding === undefined ? [] : (rows.get(system) ?? []).flatMap((row) => tableRows(binding, row));
}
