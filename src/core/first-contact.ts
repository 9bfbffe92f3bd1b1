import { equalJson, type Json } from './canonical-json';
import { decide, type Decision } from './decide';
import { openReviews } from './draft';
import { EXISTENCE, existsIn, type LinkState } from './link';
import { maskRowKeys } from './mask';
import type { PolicyInForce } from './observe';
import { asApproved } from './pending';
import { carriersOf, type EntityPolicy, type FieldPolicy } from './policy';
import { strategyText } from './policy-strategy';
import { type Scopes, scopeText } from './scopes';
import { SimilarPairs } from './similar-pairs';

/** What approving the first contact of populated systems would do, counted per entity. */
export interface EntityReport {
	readonly entity: string;
	/** Records found in more than one system, equal in every field. */
	linkedEqual: number;
	/** Records found in more than one system that differ in some field. */
	linkedDifferent: number;
	/** By system: records that no other system has. */
	onlyIn: Record<string, number>;
	/** Records whose match values another record of the same system has already: a person decides. */
	ambiguous: number;
	/** Pairs of records that resemble each other and have no match key in common: a person decides. Absent: the policy does not ask. */
	similar?: number;
	/** By system: rows that would be made in it. */
	inserts: Record<string, number>;
	/** By field name, those that are reported. */
	fields: Record<string, FieldReport>;
	/** The first few keys of records of a kind, to look at: "only in crm", "ambiguous". */
	examples: Record<string, Json[]>;
}

export interface FieldReport {
	/** Linked records in which the systems agree. */
	equal: number;
	/** Linked records in which the systems differ. */
	different: number;
	/** Who decides: "owned by crm", "shared, prefer(crm)", "shared, review". */
	readonly rule: string;
	/** By system: rows in which it would be overwritten. */
	writes: Record<string, number>;
	/** Records that would wait for a person. */
	reviews: number;
	/** The first few keys of records in which the systems differ. */
	examples: Json[];
}

const MAX_EXAMPLES = 10;

/**
 * A report of nothing, to which `addToReport` adds link by link. By entity. Of a policy of which only a
 * part is pending, it is about that part.
 */
export function emptyReport(inForce: PolicyInForce): Map<string, EntityReport> {
	const reports = new Map<string, EntityReport>();
	for (const entity of inForce.policy.entities.values()) {
		const fields = reportedFields(entity, inForce.pending);
		if (fields.length === 0 && !reportsRecords(entity, inForce.pending)) continue;
		const report: EntityReport = {
			entity: entity.name,
			linkedEqual: 0,
			linkedDifferent: 0,
			onlyIn: {},
			ambiguous: 0,
			...(entity.similar === null ? {} : { similar: 0 }),
			inserts: {},
			fields: Object.fromEntries(fields.map((field) => [field.name, emptyField(field)])),
			examples: {},
		};
		reports.set(entity.name, report);
		pairsOf.set(report, new SimilarPairs(entity));
	}
	return reports;
}

/** What is compared with the records of a report that are still to come. */
const pairsOf = new WeakMap<EntityReport, SimilarPairs>();

function emptyField(field: FieldPolicy): FieldReport {
	return { equal: 0, different: 0, rule: ruleOf(field), writes: {}, reviews: 0, examples: [] };
}

function reportedFields({ name: entity, fields }: EntityPolicy, pending: Scopes): FieldPolicy[] {
	return [...fields.values()].filter(
		({ name: field, ...binding }) =>
			pending.size === 0 ||
			carriersOf(binding).some((system) => pending.has(scopeText({ entity, field, system }))),
	);
}

/** Whether it is open what becomes of whole records: not where only fields are new. */
function reportsRecords({ name: entity, tables }: EntityPolicy, pending: Scopes): boolean {
	if (pending.size === 0) return true;
	return [...tables.keys()].some((system) =>
		pending.has(scopeText({ entity, field: EXISTENCE, system })),
	);
}

/**
 * Counts one link in. What would be done is not guessed: R2 itself decides on a copy of the state.
 *
 * @param report - changed in place
 */
export function addToReport(
	report: Map<string, EntityReport>,
	state: LinkState,
	inForce: PolicyInForce,
): void {
	const entity = inForce.policy.entities.get(state.entity);
	const mine = report.get(state.entity);
	if (!entity || !mine) return;
	const present = inForce.policy.systems.filter((system) => existsIn(state, system));
	if (present.length === 0) return;
	const about: Counted = { mine, state, entity, inForce, present };
	countRecord(about, present.length > 1 ? countFields(about) : 0);
	addPlans(about);
}

interface Counted {
	readonly mine: EntityReport;
	readonly state: LinkState;
	readonly entity: EntityPolicy;
	readonly inForce: PolicyInForce;
	/** The systems that have the record. */
	readonly present: readonly string[];
}

function countRecord({ mine, state, entity, inForce, present }: Counted, different: number): void {
	const [only = ''] = present;
	const isAmbiguous = state.fields[EXISTENCE]?.frozen?.kind === 'identity';
	if (!isAmbiguous && present.length > 1) {
		if (different === 0) mine.linkedEqual += 1;
		else mine.linkedDifferent += 1;
		return;
	}
	if (!reportsRecords(entity, inForce.pending)) return;
	if (isAmbiguous) mine.ambiguous += 1;
	else count(mine.onlyIn, only);
	addExample((mine.examples[isAmbiguous ? 'ambiguous' : `only in ${only}`] ??= []), state, entity);
}

/** @returns how many of the reported fields differ */
function countFields({ mine, state, entity, present }: Counted): number {
	let different = 0;
	for (const [name, field] of Object.entries(mine.fields)) {
		const views = present.flatMap((system) => state.fields[name]?.views[system] ?? []);
		const [first, ...others] = views;
		if (first === undefined || others.length === 0) continue;
		if (others.every((view) => equalJson(view.canon, first.canon))) {
			field.equal += 1;
			continue;
		}
		field.different += 1;
		different += 1;
		addExample(field.examples, state, entity);
	}
	return different;
}

/** Writes that come once another record is there; not those that only complete a new one. */
function addLaterWrites({ mine, state, entity, inForce }: Omit<Counted, 'present'>, { waits, ops }: Decision): void {
	const made = new Set(ops.flatMap(({ kind, system }) => (kind === 'insert' ? [system] : [])));
	const inserted = new Set<string>();
	for (const { kind, system, field } of waits) {
		const report = mine.fields[field];
		if (kind === 'read' || made.has(system)) continue;
		if (!existsIn(state, system)) inserted.add(system);
		else if (report) count(report.writes, system);
	}
	if (!reportsRecords(entity, inForce.pending)) return;
	for (const system of inserted) count(mine.inserts, system);
}

function addPlans({ mine, state, entity, inForce }: Counted): void {
	// What is under way has been decided before; it would only hide what is to come.
	const decision = decide({ ...state, inFlight: {} }, asApproved(inForce), 'live');
	for (const op of decision.ops) {
		if (op.kind === 'insert' && reportsRecords(entity, inForce.pending))
			count(mine.inserts, op.system);
		if (op.kind !== 'update') continue;
		for (const name of Object.keys(op.fields)) {
			const field = mine.fields[name];
			if (field) count(field.writes, op.system);
		}
	}
	addLaterWrites({ mine, state, entity, inForce }, decision);
	if (reportsRecords(entity, inForce.pending)) addPairs({ mine, state, entity }, decision);
	const asked = openReviews(decision.state, inForce.policy.name).flatMap(({ fields }) => fields);
	for (const name of asked) {
		const field = mine.fields[name];
		if (field) field.reviews += 1;
	}
}

/** A record that resembles another one is not created: a person is asked first. */
function addPairs({ mine, state, entity }: Pick<Counted, 'mine' | 'state' | 'entity'>, { ops }: Decision): void {
	const inserts = ops.flatMap(({ kind, system }) => (kind === 'insert' ? [system] : []));
	for (const { records, score, inserts: held } of pairsOf.get(mine)?.add(state, inserts) ?? []) {
		mine.similar = (mine.similar ?? 0) + 1;
		for (const system of held) count(mine.inserts, system, -1);
		const examples = (mine.examples['similar'] ??= []);
		const [one, other] = records.map(({ keys }) => maskRowKeys(keys as Record<string, Json>, entity));
		if (examples.length < MAX_EXAMPLES) examples.push({ records: [one ?? null, other ?? null], percent: Math.round(score * 100) });
	}
}

function addExample(examples: Json[], { keys }: LinkState, entity: EntityPolicy): void {
	if (examples.length < MAX_EXAMPLES)
		examples.push(maskRowKeys(keys as Record<string, Json>, entity));
}

/** The same for a field by its name, or for the record itself; null: the policy does not name it. */
export function ruleOfField({ fields, deletes }: EntityPolicy, name: string): string | null {
	if (name === EXISTENCE) return `deletes: ${deletes.conflict}`;
	const field = fields.get(name);
	return field ? ruleOf(field) : null;
}

/** Who decides a field: "owned by crm", "shared, prefer(crm)". */
export function ruleOf({ authority }: FieldPolicy): string {
	if (authority.kind === 'owned') return `owned by ${authority.owner}`;
	return `shared, ${strategyText(authority.resolve)}`;
}

function count(counts: Record<string, number>, name: string, by = 1): void {
	counts[name] = (counts[name] ?? 0) + by;
	if (counts[name] === 0) delete counts[name];
}
