import { canonicalJson } from '../core/canonical-json';
import { answersInOrder } from './distinct-claims';
import type { ClaimRecord, MemoryData } from './memory-data';
import type { Claim, ClaimRequest, HeldClaim } from './sync-store';

/** A claim that lapsed this long ago is forgotten. */
const FORGET_AFTER_MS = 3_600_000;

interface Changed<T> {
	readonly data: MemoryData;
	readonly result: readonly T[];
}

export function claimIn(data: MemoryData, request: ClaimRequest, nowMs: number): Changed<Claim> {
	const { scope, keys, leaseMs } = request;
	const claims = new Map([...data.claims].filter(([, c]) => c.untilMs > nowMs - FORGET_AFTER_MS));
	let { lastToken } = data;
	const answers = new Map<string, Claim>();
	for (const key of new Set(keys)) {
		const id = claimId(scope, key);
		const taken = takenAs(claims.get(id), nowMs);
		if (!taken) claims.set(id, { state: 'held', token: ++lastToken, untilMs: nowMs + leaseMs });
		answers.set(key, taken ?? { state: 'new', token: lastToken });
	}
	return { data: { ...data, claims, lastToken }, result: answersInOrder(keys, answers) };
}

function takenAs(known: ClaimRecord | undefined, nowMs: number): Claim | null {
	if (!known || known.untilMs <= nowMs) return null;
	return { state: known.state === 'done' ? 'duplicate' : 'in-progress' };
}

export function completeIn(
	data: MemoryData,
	held: readonly HeldClaim[],
	untilMs: number,
): Changed<boolean> {
	const claims = new Map(data.claims);
	const result = held.map(({ scope, key, token }) => {
		const id = claimId(scope, key);
		if (claims.get(id)?.token !== token) return false;
		claims.set(id, { state: 'done', token, untilMs });
		return true;
	});
	return { data: { ...data, claims }, result };
}

export function releaseIn(data: MemoryData, held: readonly HeldClaim[]): Changed<boolean> {
	const claims = new Map(data.claims);
	const result = held.map(({ scope, key, token }) => {
		const id = claimId(scope, key);
		const known = claims.get(id);
		if (known?.token !== token || known.state === 'done') return false;
		return claims.delete(id);
	});
	return { data: { ...data, claims }, result };
}

function claimId(scope: string, key: string): string {
	return canonicalJson([scope, key]);
}
