import { unrelated } from './foreign-view';
import { EXISTENCE, type FieldState, type LinkState, type View } from './link';
import type { PolicyInForce } from './observe';
import { carriersOf, type EntityPolicy, type FieldPolicy, type Policy } from './policy';
import { NO_SCOPES, type Scopes, scopeText } from './scopes';
import { counterOf, includes, join, type VersionVector } from './version-vector';
import { withOwn } from './withdrawn';

/**
 * What waits for its first contact, in a policy whose other parts are live: a new field, table or
 * system. It is observed, and no decision sees it: nothing of it is written, and nothing that it
 * says reaches another system, before a person has approved.
 */

/** The part of a policy that may be decided about. The same object when nothing is pending. */
export function approvedPart(inForce: PolicyInForce): PolicyInForce {
	if (inForce.pending.size === 0) return inForce;
	const known = approvedParts.get(inForce);
	if (known) return known;
	const approved = { ...inForce, policy: withoutPending(inForce), pending: NO_SCOPES };
	approvedParts.set(inForce, approved);
	return approved;
}

const approvedParts = new WeakMap<PolicyInForce, PolicyInForce>();

/** The policy as if all of it were approved. */
export function asApproved(inForce: PolicyInForce): PolicyInForce {
	return inForce.pending.size === 0 ? inForce : { ...inForce, pending: NO_SCOPES };
}

function withoutPending({ policy, pending }: PolicyInForce): Policy {
	const entities = [...policy.entities].map(([name, entity]): [string, EntityPolicy] => {
		const isPending = (field: string, system: string): boolean =>
			pending.has(scopeText({ entity: name, field, system }));
		const tables = [...entity.tables].filter(([system]) => !isPending(EXISTENCE, system));
		const fields = [...entity.fields].flatMap(([field, rules]): [string, FieldPolicy][] => {
			const columns = [...rules.columns].filter(([system]) => !isPending(field, system));
			const computed = [...rules.computed].filter(([system]) => !isPending(field, system));
			const known = { ...rules, columns: new Map(columns), computed: new Map(computed) };
			return columns.length + computed.length === 0 ? [] : [[field, known]];
		});
		return [name, { ...entity, tables: new Map(tables), fields: new Map(fields) }];
	});
	return { ...policy, entities: new Map(entities) };
}

/** A state without the views that are pending, and what puts them back. */
export interface Hidden {
	readonly state: LinkState;
	restore(decided: LinkState): LinkState;
}

export function hidePending(state: LinkState, { pending }: PolicyInForce): Hidden {
	if (pending.size === 0) return { state, restore: (decided) => decided };
	const hidden: (readonly [string, string, View])[] = [];
	const fields = Object.entries(state.fields).map(([field, kept]): [string, FieldState] => {
		const views = Object.entries(kept.views).filter(([system, view]) => {
			const isHidden = pending.has(scopeText({ entity: state.entity, field, system }));
			if (isHidden) hidden.push([field, system, view]);
			return !isHidden;
		});
		return [field, { ...kept, views: Object.fromEntries(views) }];
	});
	return {
		state: { ...state, fields: Object.fromEntries(fields) },
		restore: (decided) => {
			const restored = { ...decided.fields };
			for (const [field, system, view] of hidden) {
				const { views, ...rest } = restored[field] ?? { merged: null, frozen: null, views: {} };
				restored[field] = { ...rest, views: { ...views, [system]: view } };
			}
			return { ...decided, fields: restored };
		},
	};
}

/**
 * The link before a change of `system` is observed: what it holds of that system's pending fields
 * may be another column's value, or was read through another codec, and whoever writes the new one
 * has seen nobody else's. A field that is pending wherever it is carried starts from nothing.
 */
export function forgetPending(
	state: LinkState,
	{ policy, pending }: PolicyInForce,
	system: string,
): LinkState {
	const entity = policy.entities.get(state.entity);
	if (pending.size === 0 || entity === undefined) return state;
	return [...entity.fields.values()].reduce((known, field) => {
		const isPending = (carrier: string): boolean =>
			pending.has(scopeText({ entity: entity.name, field: field.name, system: carrier }));
		if (!isPending(system)) return known;
		const isNew = carriersOf(field).every(isPending);
		return isNew ? begunAnew(known, field.name, system) : withNewColumn(known, field.name, system);
	}, state);
}

function begunAnew(state: LinkState, name: string, system: string): LinkState {
	const field = state.fields[name];
	if (field === undefined) return state;
	// Once: what the field had before is not what it begins with now.
	const begun = field.merged === null ? field : { ...field, merged: null, frozen: null };
	return { ...state, fields: { ...state.fields, [name]: { ...begun, views: withUnrelated(field, system) } } };
}

/**
 * The merged version becomes one that the new column has not seen, even where it came from the old one. Whoever else
 * had seen it has seen it still: else an edit that is yet to be decided about would be in conflict with the very
 * value it replaced, and could lose to it.
 */
function withNewColumn(state: LinkState, name: string, system: string): LinkState {
	const field = state.fields[name];
	if (field === undefined) return state;
	const { merged } = field;
	const views = withUnrelated(field, system);
	if (merged === null || field.views[system]?.base === undefined) {
		return { ...state, fields: { ...state.fields, [name]: { ...field, views } } };
	}
	const { own = merged.vector } = merged;
	const step = { sync: counterOf(merged.vector, 'sync') + 1 };
	const raised = <T extends { readonly vector: VersionVector }>(version: T): T =>
		includes(version.vector, own) ? { ...version, vector: join(version.vector, step) } : version;
	const seen = Object.entries(views).map(([other, view]) => [other, other === system ? view : raised(view)] as const);
	const version = withOwn({ ...merged, vector: join(merged.vector, step) }, join(own, step));
	const inFlight = Object.entries(state.inFlight).map(([other, op]) => {
		const written = op.fields[name];
		return [other, written === undefined ? op : { ...op, fields: { ...op.fields, [name]: raised(written) } }] as const;
	});
	return {
		...state,
		fields: { ...state.fields, [name]: { ...field, merged: version, views: Object.fromEntries(seen) } },
		inFlight: Object.fromEntries(inFlight),
	};
}

/** The field's views, that of `system` as one that no merged version is made of. */
function withUnrelated({ views }: FieldState, system: string): FieldState['views'] {
	const view = views[system];
	return view === undefined ? views : { ...views, [system]: unrelated(view, system) };
}

/** Of all that is pending, what a journal entry about a link of this entity must name to be replayed. */
export function pendingOf(
	entity: string,
	pending: Scopes,
): { readonly pending?: readonly string[] } {
	const mine = [...pending].filter((scope) => scope.startsWith(`${entity}.`)).sort();
	return mine.length === 0 ? {} : { pending: mine };
}
