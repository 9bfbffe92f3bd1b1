import { EXISTENCE, type FieldState, type LinkState, type MergedVersion, type View } from './link';
import type { PolicyInForce } from './observe';
import { carriersOf, type EntityPolicy, type FieldPolicy, type Policy } from './policy';
import { NO_SCOPES, type Scopes, scopeText } from './scopes';
import { counterOf, increment } from './version-vector';
import { entire } from './withdrawn';

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
	const fields = { ...state.fields };
	for (const [name, policyOfField] of entity.fields) {
		const field = fields[name];
		const isPending = (carrier: string): boolean =>
			pending.has(scopeText({ entity: entity.name, field: name, system: carrier }));
		if (field === undefined || !isPending(system)) continue;
		const isNew = carriersOf(policyOfField).every(isPending);
		const view = field.views[system];
		const views = view ? { ...field.views, [system]: unrelated(view, system) } : field.views;
		// Once: what the field had before is not what it begins with now.
		if (isNew && field.merged !== null)
			fields[name] = { ...field, merged: null, frozen: null, views };
		else
			fields[name] = {
				...field,
				merged: isRelated(view) ? unseen(field.merged) : field.merged,
				views,
			};
	}
	return { ...state, fields };
}

/** Whether the view has been part of what the field's merged version is made of. */
const isRelated = (view: View | undefined): boolean => view?.base !== undefined;

/** The version that stands, as one that nobody's new column has seen: even where it came from the old one. */
function unseen(merged: MergedVersion | null): MergedVersion | null {
	return merged && { ...entire(merged), vector: increment(merged.vector, 'sync') };
}

/** The view as one that has seen its own system's changes only. */
function unrelated({ raw, canon, vector, atMs, unreadable }: View, system: string): View {
	return {
		raw,
		canon,
		vector: { [system]: counterOf(vector, system) },
		...(atMs === undefined ? {} : { atMs }),
		...(unreadable === undefined ? {} : { unreadable }),
	};
}

/** Of all that is pending, what a journal entry about a link of this entity must name to be replayed. */
export function pendingOf(
	entity: string,
	pending: Scopes,
): { readonly pending?: readonly string[] } {
	const mine = [...pending].filter((scope) => scope.startsWith(`${entity}.`)).sort();
	return mine.length === 0 ? {} : { pending: mine };
}
