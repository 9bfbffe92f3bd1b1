import { equalJson, type Json } from './canonical-json';
import { decide } from './decide';
import { SyncError } from './errors';
import { EXISTENCE, type LinkState, type Operation } from './link';
import type { PolicyInForce } from './observe';
import { resolve, type Resolution } from './resolve';

/** What a decision would do in one system. */
export interface Effect {
	readonly system: string;
	/** `waits`: a write to this system is under way, and what comes next is decided when it has ended. */
	readonly kind: Operation['kind'] | 'waits';
	/** By field, the values before and after as the sync compares them. */
	readonly fields: readonly { readonly field: string; readonly from: Json | undefined; readonly to: Json }[];
}

/**
 * What would be written where if a person decided so now: the rules themselves are asked, on a copy. Pure.
 *
 * @returns the effects, none when nothing would be written; or why the decision would be refused
 */
export function previewChoice(state: LinkState, resolution: Resolution, policy: PolicyInForce): readonly Effect[] | SyncError {
	try {
		const resolved = resolve(state, resolution, policy).state;
		const after = decide(resolved, policy, 'live').state;
		return [...(policy.policy.entities.get(state.entity)?.tables.keys() ?? [])].flatMap((system) => effectIn(system, { state, resolved, after }) ?? []);
	} catch (error) {
		if (error instanceof SyncError) return error;
		throw error;
	}
}

function effectIn(system: string, { state, resolved, after }: Record<'state' | 'resolved' | 'after', LinkState>): Effect | null {
	const underWay = state.inFlight[system];
	const planned = after.inFlight[system];
	if (underWay) return differs(after, system) ? { system, kind: 'waits', fields: [] } : null;
	if (!planned) return null;
	const fields = Object.entries(planned.fields).map(([field, { canon }]) => ({ field, from: resolved.fields[field]?.views[system]?.canon, to: canon }));
	return { system, kind: planned.kind, fields: planned.kind === 'delete' ? [] : fields };
}

function differs({ fields }: LinkState, system: string): boolean {
	return Object.entries(fields).some(([name, { merged, views }]) => name !== EXISTENCE && merged !== null && !equalJson(views[system]?.canon ?? null, merged.canon));
}
