import { canonicalJson, type Json } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { EXISTENCE, isStill, type LinkState, type Operation } from '../../src/core/link';
import { inForce } from '../../src/core/observe';
import { replay, type ReplayedEntry } from '../../src/core/replay';
import { namedBy } from '../support/named-values';
import type { Facts } from './facts';
import type { PolicyVersion } from './policy-version';

/** What the journal proves. */
export interface Replayed {
	/** Every operation that was ever decided, by id. */
	readonly operations: ReadonlyMap<string, Operation>;
	/** Values that the journal names as beaten, reverted or put before a person; see `namedBy`. */
	readonly named: ReadonlySet<string>;
	/** I9: links whose journal does not lead to the state that is stored. I12: operations that touch what is frozen. */
	readonly problems: readonly string[];
}

/** Makes every link's state anew from its journal. */
export function replayFacts({ links, journal }: Facts, versions: readonly PolicyVersion[]): Replayed {
	const policies = new Map(versions.map(({ policy, hash }) => [hash, inForce(policy)]));
	const operations = new Map<string, Operation>();
	const named = new Set<string>();
	const byLink = new Map<string, ReplayedEntry[]>();
	for (const { link, entry } of journal) byLink.set(link, [...(byLink.get(link) ?? []), { link, entry }]);
	const problems = links.flatMap(({ state }): string[] => {
		const entries = byLink.get(state.id) ?? [];
		const frozenWrites: string[] = [];
		let before: LinkState | null = null;
		let at = 0;
		const watch = (after: LinkState): void => {
			for (const op of Object.values(after.inFlight)) operations.set(op.id, op);
			const entry = entries[at]?.entry;
			at += 1;
			frozenWrites.push(...writesOfFrozen(before, after));
			if (entry) for (const name of namedBy({ before, after, journal: [entry] } as never, after.id)) named.add(name);
			before = after;
		};
		const wrong = leadsTo(state, () => replay(entries, (hash) => policies.get(hash), watch));
		return [...wrong, ...frozenWrites];
	});
	return { operations, named, problems };
}

function leadsTo(state: LinkState, work: () => LinkState | null): string[] {
	try {
		const replayed = work();
		const isSame = canonicalJson(replayed as unknown as Json) === canonicalJson(state as unknown as Json);
		return isSame ? [] : [`I9 the journal of ${nameOf(state)} leads to another state than the one that is stored`];
	} catch (error) {
		if (!(error instanceof SyncError)) throw error;
		return [`I9 ${error.message}`];
	}
}

/** I12: fields that an operation was made for although they stood still before and after. */
function writesOfFrozen(before: LinkState | null, after: LinkState): string[] {
	return Object.values(after.inFlight).flatMap(({ id, system, kind, fields }) => {
		if (before?.inFlight[system]?.id === id) return [];
		const names = kind === 'update' ? Object.keys(fields) : [EXISTENCE];
		const still = names.filter((name) => [before, after].every((state) => isFrozen(state, name)));
		return still.map((name) => `I12 ${id} writes ${name}, which is frozen`);
	});
}

function isFrozen(state: LinkState | null, name: string): boolean {
	const field = state?.fields[name];
	return field !== undefined && isStill(field);
}

/** A record by its keys, as people know it. */
export function nameOf({ entity, keys }: LinkState): string {
	return `${entity} ${Object.entries(keys).map(([system, key]) => `${system} ${Object.values(key).join(',')}`).join(' = ')}`;
}
