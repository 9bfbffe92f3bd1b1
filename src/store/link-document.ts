import { equalJson, type Json } from '../core/canonical-json';
import type { FieldState, Hold, LinkState, MergedVersion, Operation, OperationField, Turns, View } from '../core/link';
import type { VersionVector } from '../core/version-vector';

/**
 * A link's state as it is stored. Nearly all fields of nearly all links are at rest: every system
 * shows the merged value, under one vector. Such a field is written once instead of once per
 * system and role, which makes the document of a wide record five times smaller; and vectors are
 * named by their place in a list, because a record has few different ones; so are groups of systems.
 */
export interface LinkDocument extends Omit<LinkState, 'fields' | 'inFlight'> {
	readonly vectors: readonly VersionVector[];
	readonly groups: readonly (readonly string[])[];
	readonly fields: Readonly<Record<string, AtRest | InMotion>>;
	readonly inFlight: Readonly<Record<string, PackedOperation>>;
}

/** Canonical value, vector, whose value it is, the systems that show it, and raw values that are spelled otherwise. */
type AtRest = readonly [canon: Json, vector: number, from: string, group: number, raw?: Readonly<Record<string, Json>>];

/** With the place of its vector; a value that repeats the one before it is left out. */
type Packed<T extends { readonly vector: VersionVector; readonly canon: Json }> = Omit<T, 'vector' | 'canon'> & {
	readonly vector: number;
	readonly canon?: Json;
};

/** `canon` repeats `raw`, and `base` repeats `canon` unless there is none. */
type PackedView = Packed<View> & { readonly hasNoBase?: true };
/** `canon` repeats `next`. */
type PackedOperation = Omit<Operation, 'fields'> & { readonly fields: Readonly<Record<string, Packed<OperationField>>> };

interface InMotion {
	readonly merged: (Omit<MergedVersion, 'vector'> & { readonly vector: number }) | null;
	readonly views: Readonly<Record<string, PackedView>>;
	/** Absent: nothing holds the field. */
	readonly frozen?: FieldState['frozen'];
	readonly held?: Hold;
	readonly turns?: Turns;
}

export function packLink({ fields, inFlight, ...rest }: LinkState): LinkDocument {
	const lists: Lists = { vectors: new Distinct(sameVector), groups: new Distinct(sameNames) };
	const { vectors, groups } = lists;
	return {
		...rest,
		fields: mapped(fields, (field) => packField(field, lists)),
		inFlight: mapped(inFlight, (op) => ({ ...op, fields: mapped(op.fields, (field) => packWritten(field, vectors)) })),
		vectors: vectors.all,
		groups: groups.all,
	};
}

export function unpackLink({ vectors, groups, fields, inFlight, ...rest }: LinkDocument): LinkState {
	return {
		...rest,
		fields: mapped(fields, (field) =>
			isAtRest(field) ? fromRest(field, { vectors, groups }) : fromMotion(field, vectors),
		),
		inFlight: mapped(inFlight, (op) => ({ ...op, fields: mapped(op.fields, (field) => fromWritten(field, vectors)) })),
	};
}

/** The same names with other values. By entries, because assigning loses a name like __proto__. */
function mapped<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
	return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

interface Lists {
	readonly vectors: Distinct<VersionVector>;
	readonly groups: Distinct<readonly string[]>;
}

/** A list that holds equal things once. There are few: looking through them is faster than a text of each. */
class Distinct<T> {
	readonly all: T[] = [];

	constructor(private readonly same: (a: T, b: T) => boolean) {}

	placeOf(one: T): number {
		const place = this.all.findIndex((other) => this.same(other, one));
		return place === -1 ? this.all.push(one) - 1 : place;
	}
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
	return a.length === b.length && a.every((name, index) => name === b[index]);
}

/** The same components, zeros included: what is read back must be what was written. */
function sameVector(a: VersionVector, b: VersionVector): boolean {
	if (a === b) return true;
	const names = Object.keys(a);
	return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}

function packField(field: FieldState, { vectors, groups }: Lists): AtRest | InMotion {
	const { merged, views, frozen, ...special } = field;
	if (merged !== null && isResting(field, merged)) {
		const spelled = Object.entries(views).filter(([, view]) => !equalJson(view.raw, merged.canon));
		const raw = Object.fromEntries(spelled.map(([system, view]) => [system, view.raw]));
		const group = groups.placeOf(Object.keys(views));
		const rest = [merged.canon, vectors.placeOf(merged.vector), merged.from, group] as const;
		return spelled.length === 0 ? rest : [...rest, raw];
	}
	return {
		merged: merged && { ...merged, vector: vectors.placeOf(merged.vector) },
		views: mapped(views, (view) => packView(view, vectors)),
		...(frozen === null ? {} : { frozen }),
		...special,
	};
}

function packView({ canon, base, vector, ...view }: View, vectors: Lists['vectors']): PackedView {
	return {
		...view,
		vector: vectors.placeOf(vector),
		...(equalJson(canon, view.raw) ? {} : { canon }),
		...(base === undefined ? { hasNoBase: true } : equalJson(base, canon) ? {} : { base }),
	};
}

function fromView({ vector, hasNoBase, base, canon, ...view }: PackedView, vectors: readonly VersionVector[]): View {
	const value = canon === undefined ? view.raw : canon;
	const before = hasNoBase ? {} : { base: base === undefined ? value : base };
	return { ...view, canon: value, vector: at(vectors, vector), ...before };
}

function packWritten({ canon, vector, ...field }: OperationField, vectors: Lists['vectors']): Packed<OperationField> {
	const repeats = field.next !== undefined && equalJson(canon, field.next);
	return { ...field, vector: vectors.placeOf(vector), ...(repeats ? {} : { canon }) };
}

function fromWritten({ canon, vector, ...field }: Packed<OperationField>, vectors: readonly VersionVector[]): OperationField {
	return { ...field, canon: canon === undefined ? (field.next ?? null) : canon, vector: at(vectors, vector) };
}

/** Of a view: raw, canon, vector and base; another one says that it is something special. So for the others. */
const RESTING_MEMBERS = { field: 3, merged: 3, view: 4 };

function isResting(field: FieldState, merged: MergedVersion): boolean {
	const { views, frozen } = field;
	if (frozen !== null || Object.keys(field).length !== RESTING_MEMBERS.field) return false;
	if (Object.keys(merged).length !== RESTING_MEMBERS.merged) return false;
	for (const view of Object.values(views)) {
		const { canon, base, vector } = view;
		if (base === undefined || Object.keys(view).length !== RESTING_MEMBERS.view) return false;
		if (!sameVector(vector, merged.vector)) return false;
		if (!equalJson(canon, merged.canon) || !equalJson(base, merged.canon)) return false;
	}
	return true;
}

function isAtRest(field: AtRest | InMotion): field is AtRest {
	return Array.isArray(field);
}

function fromRest(
	[canon, place, from, group, raw = {}]: AtRest,
	{ vectors, groups }: Pick<LinkDocument, 'vectors' | 'groups'>,
): FieldState {
	const vector = at(vectors, place);
	const views = at(groups, group).map((system): [string, View] => [
		system,
		{ raw: Object.hasOwn(raw, system) ? (raw[system] as Json) : canon, canon, vector, base: canon },
	]);
	return { merged: { canon, vector, from }, views: Object.fromEntries(views), frozen: null };
}

function fromMotion({ merged, views, frozen = null, ...special }: InMotion, vectors: readonly VersionVector[]): FieldState {
	return {
		...special,
		merged: merged && { ...merged, vector: at(vectors, merged.vector) },
		views: mapped(views, (view) => fromView(view, vectors)),
		frozen,
	};
}

function at<T>(list: readonly T[], place: number): T {
	const found = list[place];
	if (found === undefined) throw new TypeError(`a link document names number ${place} of ${list.length}`);
	return found;
}
