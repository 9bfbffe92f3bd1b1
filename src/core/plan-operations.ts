import { canonicalJson, equalJson, sha256Hex, type Json } from './canonical-json';
import { explain, freeze, type Draft } from './draft';
import {
	EXISTENCE,
	existsIn,
	fieldOf,
	FIRST_EPOCH,
	hasRowIn,
	isStill,
	type LinkState,
	type MergedVersion,
	type Operation,
	operationId,
	type OperationField,
	type View,
} from './link';
import { matchFields } from './match-keys';
import type { EntityPolicy, FieldPolicy } from './policy';
import { lacksPart } from './record-parts';
import { holdsInsert } from './reference-graph';
import { valueFor } from './references';
import { strayField } from './row-presence';
import { rowToRemove } from './second-row';
import type { Rules } from './strategies';
import { staleCount } from './settle';
import { NOTHING_SEEN } from './version-vector';

/** After this many stale outcomes in a row, fields travel one by one: one that changes all the time must not hold up the rest. */
const SPLIT_AFTER_STALE = 3;

/**
 * Makes the operations that bring every system to the merged versions. A system with an
 * operation in flight waits until that one has settled, and only that system.
 *
 * @param write - false in shadow mode: the journal says what would be written
 */
export function planOperations(draft: Draft, rules: Rules, write: boolean): boolean {
	let planned = false;
	for (const system of rules.policy.systems) {
		if (!rules.entity.tables.has(system) || draft.state.inFlight[system] !== undefined) continue;
		const op = planFor(draft, system, rules);
		if (op === null) continue;
		if (!write) {
			if (noteShadow(draft, op)) planned = true;
			continue;
		}
		delete draft.state.shadowed; // Said again, should shadow mode come back.
		draft.state.inFlight[system] = op;
		draft.state.numbers[system] = op.number;
		explain(draft, 'op', { system, detail: { op: op.id, kind: op.kind, fields: Object.keys(op.fields) } });
		planned = true;
	}
	return planned;
}

/** Says once what would be written: the same decision is made again and again while nothing is. @returns whether it was new */
function noteShadow(draft: Draft, { system, kind, fields, existence }: Operation): boolean {
	const written = Object.entries(fields).map(([name, { next, vector }]) => [name, next ?? null, { ...vector }]);
	const text = sha256Hex(canonicalJson([kind, existence && { ...existence }, written])).slice(0, 16);
	if (draft.state.shadowed?.[system] === text) return false;
	draft.state.shadowed = { ...draft.state.shadowed, [system]: text };
	explain(draft, 'would-write', { system, detail: { kind, fields: Object.keys(fields) } });
	return true;
}

function planFor(draft: Draft, system: string, rules: Rules): Operation | null {
	const removal = planRemoval(draft.state, system, rules);
	if (removal !== null) return removal;
	const existence = draft.state.fields[EXISTENCE];
	if (existence?.merged == null) return null;
	const isThere = existsIn(draft.state, system);
	const shouldBe = existence.merged.canon === true;
	if (isThere && shouldBe) return planUpdate(draft, system, rules);
	if (isThere === shouldBe || isStill(existence)) return null;
	if (existence.views[system]?.accepted) return null;
	const whole = { system, rules, merged: existence.merged };
	if (!shouldBe) return planDelete(draft, whole);
	return hasRowIn(draft.state, system) ? planRevival(draft, whole) : planInsert(draft, whole);
}

function planUpdate(draft: Draft, system: string, rules: Rules): Operation | null {
	const lacking: [string, OperationField][] = [];
	for (const name of storedFields(rules.entity, system)) {
		const field = draft.state.fields[name];
		if (field?.merged == null || isStill(field) || !lacksValue(draft.state, system, { name, entity: rules.entity })) continue;
		const planned = updateField(draft, { name, system, merged: field.merged, view: field.views[system], rules });
		if (planned) lacking.push([name, planned]);
	}
	if (lacking.length === 0) return null;
	const number = nextNumber(draft.state, system);
	const splits = staleCount(draft.state, system) >= SPLIT_AFTER_STALE;
	// Turned by the number, or a field that is always stale would always be the one tried.
	const fields = splits ? [lacking[number % lacking.length]].filter((one) => one !== undefined) : lacking;
	const key = draft.state.keys[system] ?? null;
	const guards = guardsOf(draft.state, { system, rules, written: fields.map(([name]) => name) });
	return operation(draft.state, rules, { system, kind: 'update', key, fields, guards, existence: null });
}

/** Whether the system's row shows another value than the merged version, and may not. */
function lacksValue(state: LinkState, system: string, place: { readonly name: string; readonly entity: EntityPolicy }): boolean {
	const { views = {}, merged = null } = state.fields[place.name] ?? {};
	const view = views[system];
	if (view === undefined) return lacksPart(state, system, place);
	return !view.accepted && !equalJson(view.canon, merged?.canon ?? null);
}

/** The fields that the system has a column for. What it computes can be neither written nor compared. */
function storedFields({ fields }: EntityPolicy, system: string): string[] {
	return [...fields.values()].flatMap(({ name, columns }) => (columns.has(system) ? [name] : []));
}

/** The match fields, as they were last read. */
function guardsOf(
	state: LinkState,
	{ system, rules: { entity }, written }: { system: string; rules: Rules; written: readonly string[] },
): Record<string, Json> {
	const stored = storedFields(entity, system);
	const names = matchFields(entity).filter((name) => stored.includes(name) && !written.includes(name));
	const standing = names.flatMap((name): [string, Json][] => {
		const view = state.fields[name]?.views[system];
		return view === undefined ? [] : [[name, view.raw]];
	});
	return { ...Object.fromEntries(standing), ...dateGuard(state, system, entity) };
}

/** The date by which a row says that it is deleted: whoever has changed it meanwhile has not seen the write. */
function dateGuard({ dates }: LinkState, system: string, entity: EntityPolicy): Record<string, Json> {
	const soft = entity.deletes.as.get(system);
	const known = dates?.[system];
	return soft && 'passed' in soft && known ? { [EXISTENCE]: known.raw } : {};
}

function updateField(
	draft: Draft,
	{ name, system, merged, view, rules }: FieldPlace & { view: View | undefined },
): OperationField | null {
	const written = valueFor(draft, { name, system, canon: merged.canon, rules });
	if (written === null) return null;
	if (written.ok) {
		const expected = view === undefined ? {} : { expected: view.raw };
		return { ...expected, next: written.value, canon: merged.canon, vector: merged.vector };
	}
	freezeUnwritable(draft, { name, system, reason: written.reason });
	return null;
}

interface FieldPlace {
	readonly name: string;
	readonly system: string;
	readonly merged: MergedVersion;
	readonly rules: Rules;
}

function freezeUnwritable(draft: Draft, { name, system, reason }: { name: string; system: string; reason: string }): void {
	freeze(draft, [name], {
		kind: 'failure',
		reason: `The value of ${name} cannot be written to ${system}: it ${reason}`,
	});
}

interface WholeRecord {
	readonly system: string;
	readonly rules: Rules;
	readonly merged: MergedVersion;
}

/**
 * A new row with every field that has a value. A null that the target itself decides (its key,
 * a field it owns) is left to the column's default; what the default makes of it comes back as
 * the target's own change.
 */
function planInsert(draft: Draft, { system, rules, merged }: WholeRecord): Operation | null {
	if (isIncomplete(draft, system, rules)) return null;
	const fields: [string, OperationField][] = [];
	for (const [name, policy] of rules.entity.fields) {
		const version = draft.state.fields[name]?.merged;
		const column = policy.columns.get(system);
		if (version == null || column === undefined || isStill(fieldOf(draft.state, name))) continue;
		const written = valueFor(draft, { name, system, canon: version.canon, rules });
		if (written === null && holdsInsert(rules, policy)) return null;
		if (written === null) continue;
		if (!written.ok) {
			// The others go without it, as they will when this is decided again: a frozen field holds up itself only.
			freezeUnwritable(draft, { name, system, reason: written.reason });
			continue;
		}
		const isLeftOut = written.value === null && isDefaulted(rules.entity, system, policy);
		const next = isLeftOut ? {} : { next: written.value };
		fields.push([name, { ...next, canon: version.canon, vector: version.vector }]);
	}
	if (isStray(draft, { system, rules, fields })) return null;
	return operation(draft.state, rules, { system, kind: 'insert', key: null, fields, guards: {}, existence: merged.vector });
}

/** Whether a null of the field is the target's own to fill: its key, or what it decides itself. */
function isDefaulted({ tables }: EntityPolicy, system: string, { columns, authority }: FieldPolicy): boolean {
	const isKey = tables.get(system)?.key.includes(columns.get(system)?.column ?? '') ?? false;
	return isKey || (authority.kind === 'owned' && authority.owner === system);
}

/** A new row that would be none of ours is not made: we would never hear of it again. */
function isStray(
	draft: Draft,
	{ system, rules, fields }: { system: string; rules: Rules; fields: readonly [string, OperationField][] },
): boolean {
	const stray = strayField(rules.entity, system, Object.fromEntries(fields));
	if (stray === null) return false;
	const reason = `The record is not created in ${system}: with this value of ${stray} it would lie outside of the rows that the policy covers there`;
	freeze(draft, [EXISTENCE], { kind: 'failure', reason });
	return true;
}

/** Brings a row back that says of itself that it is deleted, with all that the record says by now. */
function planRevival(draft: Draft, { system, rules, merged }: WholeRecord): Operation | null {
	const fields: [string, OperationField][] = [];
	for (const name of rules.entity.fields.keys()) {
		const field = draft.state.fields[name];
		const view = field?.views[system];
		if (field?.merged == null || view === undefined || isStill(field) || view.accepted) continue;
		const planned = updateField(draft, { name, system, merged: field.merged, view, rules });
		if (planned) fields.push([name, planned]);
	}
	const key = draft.state.keys[system] ?? null;
	return operation(draft.state, rules, { system, kind: 'update', key, fields, guards: dateGuard(draft.state, system, rules.entity), existence: merged.vector });
}

/** A record that is saved in two steps is not there yet after the first one: it waits, and the queue says what for. */
function isIncomplete(draft: Draft, system: string, { entity }: Rules): boolean {
	const missing = [...entity.required].filter((name) => (draft.state.fields[name]?.merged?.canon ?? null) === null);
	if (missing.length === 0) return false;
	freeze(draft, [EXISTENCE], {
		kind: 'failure',
		waitsFor: missing,
		reason: `The record is not created in ${system} while ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
	});
	return true;
}

/** Removes a row of ours beside the linked one, if it still is exactly as we made it. It confers nothing. */
function planRemoval(state: LinkState, system: string, rules: Rules): Operation | null {
	const row = rowToRemove(state, system);
	const stored = storedFields(rules.entity, system).filter((name) => row !== null && Object.hasOwn(row.fields, name));
	if (row === null || stored.length === 0) return null;
	const fields = stored.map((name): [string, OperationField] => {
		const expected = row.fields[name] ?? null;
		return [name, { expected, canon: expected, vector: NOTHING_SEEN }];
	});
	return operation(state, rules, { system, kind: 'delete', key: row.key, fields, guards: {}, existence: null });
}

/** Removes the row if every mapped field still is what was seen when the delete was decided. */
function planDelete(draft: Draft, { system, rules, merged }: WholeRecord): Operation | null {
	const fields: [string, OperationField][] = [];
	for (const name of storedFields(rules.entity, system)) {
		const view = draft.state.fields[name]?.views[system];
		if (view) fields.push([name, { expected: view.raw, canon: view.canon, vector: view.vector }]);
	}
	const key = draft.state.keys[system] ?? null;
	return operation(draft.state, rules, { system, kind: 'delete', key, fields, guards: dateGuard(draft.state, system, rules.entity), existence: merged.vector });
}

function operation(
	state: LinkState,
	{ epoch = FIRST_EPOCH }: Pick<Rules, 'epoch'>,
	{ system, fields, ...what }: Pick<Operation, 'system' | 'kind' | 'key' | 'guards' | 'existence'> & { fields: [string, OperationField][] },
): Operation {
	const number = nextNumber(state, system);
	return {
		id: operationId(state.id, system, { epoch, number }),
		link: state.id,
		entity: state.entity,
		system,
		number,
		...(epoch === FIRST_EPOCH ? {} : { epoch }),
		...what,
		fields: Object.fromEntries(fields),
	};
}

function nextNumber(state: LinkState, system: string): number {
	return (state.numbers[system] ?? 0) + 1;
}
