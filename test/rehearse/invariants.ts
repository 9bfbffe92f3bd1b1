import type { Json } from '../../src/core/canonical-json';
import { parseLsn } from '../../src/core/lsn';
import { keyOf } from '../../src/core/mapping';
import { approvedPart, hidePending } from '../../src/core/pending';
import type { EntityPolicy } from '../../src/core/policy';
import { policyInForce } from '../../src/store/published-policy';
import { type SystemRows, wrongLink, wrongRows } from '../support/at-rest';
import { keyTextOf } from '../support/simulated-database';
import { witnessed, type WitnessedTransaction, witnessedWrites } from '../support/witness';
import { wrongWrites } from '../support/witnessed-writes';
import { Truth } from '../crash/truth';
import { type Facts, writesIn } from './facts';
import { readSystemRows } from './read-rows';
import type { Rehearsal } from './rehearsal';
import { nameOf, replayFacts } from './replay-facts';

/**
 * The invariants that can be seen from outside, whenever the sync stands still: what it wrote (I3, I4,
 * I5, I6), what it says about it (I9), how far it has acknowledged (I7), and, when nothing is left
 * to do, that all is equal and at rest (I1, I2, I8, I13, I15).
 */
export async function brokenInvariants(
	rehearsal: Rehearsal,
	facts: Facts,
	{ isAtRest }: { readonly isAtRest: boolean },
): Promise<string[]> {
	return [
		...wrongHistory(rehearsal, facts),
		...(await wrongAcknowledgements(rehearsal)),
		...(await Promise.all([...rehearsal.apis.values()].map(async (api) => await api.problems()))).flat(),
		...(isAtRest ? await wrongRest(rehearsal, facts) : []),
	];
}

/** I3, I4, I5 and I9. */
function wrongHistory(rehearsal: Rehearsal, facts: Facts): string[] {
	const { policy } = rehearsal.version;
	const { operations, named, problems } = replayFacts(facts, rehearsal.versions);
	const transactions = inOrder(rehearsal, facts);
	const states = facts.links.map(({ state }) => state);
	const { problems: silent } = new Truth(policy).judge(transactions, { operations, named, states });
	return [...problems, ...wrongWrites(transactions.flatMap(witnessedWrites), { operations, policy }), ...silent];
}

/** Of all systems, by time; a marker that a user has copied says nothing. */
function inOrder({ restoredAtMs, version }: Rehearsal, { transactions }: Facts): WitnessedTransaction[] {
	const all = [...transactions.values()].flat().filter(({ atMs }) => atMs >= restoredAtMs);
	const told = all.map(({ system, transaction, isUsers }) => {
		const changes = isUsers ? transaction.changes.filter(({ kind }) => kind !== 'message') : transaction.changes;
		return witnessed(system, { ...transaction, changes }, version.policy);
	});
	return told.sort((a, b) => a.atMs - b.atMs);
}

/** I7: no slot has been told to forget what the store does not know to be acknowledged. */
async function wrongAcknowledgements({ home, policyName, databases, slotOf, halted }: Rehearsal): Promise<string[]> {
	const { streams } = await home.observer.load({ policy: policyName });
	const problems = [...databases].map(async ([system, { pool }]) => {
		const { rows } = await pool.query<{ confirmed: string | null }>(
			'select confirmed_flush_lsn::text as confirmed from pg_replication_slots where slot_name = $1',
			[slotOf(system)],
		);
		const confirmed = rows[0]?.confirmed;
		const acknowledged = streams[system]?.acknowledgedLsn;
		if (!confirmed || !acknowledged || halted.has(system) || parseLsn(confirmed) <= parseLsn(acknowledged)) return [];
		return [`I7 the slot of ${system} stands at ${confirmed}, the store knows only of ${acknowledged}`];
	});
	return (await Promise.all(problems)).flat();
}

/** I1, I2, I8, I13 and I15. */
async function wrongRest(rehearsal: Rehearsal, { links, reviews }: Facts): Promise<string[]> {
	const problems: string[] = [];
	const wasAsked = reviews.some(({ kind }) => kind === 'identity');
	// What waits for its first contact is observed, and nothing more.
	const policy = policyInForce(await rehearsal.published());
	const approved = approvedPart(policy).policy;
	for (const entity of approved.entities.values()) {
		const dbs = await rowsOf(rehearsal, entity);
		const states = links.flatMap(({ state }) => (state.entity === entity.name ? [hidePending(state, policy).state] : []));
		for (const state of states) {
			const wrong = wrongLink(state, { entity, dbs, others: states });
			if (wrong !== null) problems.push(`${wrong} (${nameOf(state)})`);
		}
		const rows = wrongRows(states, dbs, wasAsked);
		if (rows !== null) problems.push(rows);
	}
	return problems;
}

async function rowsOf({ databases, apis }: Rehearsal, entity: EntityPolicy): Promise<Record<string, SystemRows>> {
	const bound = [...databases].filter(([system]) => entity.tables.has(system));
	const read = bound.map(async ([system, { pool }]) => [system, await readSystemRows(pool, entity, system)] as const);
	const asked = [...apis].map(async ([system, api]) => [system, rowsByKey(await api.rows(), entity, system)] as const);
	return Object.fromEntries(await Promise.all([...read, ...asked]));
}

function rowsByKey(rows: readonly Record<string, Json>[], entity: EntityPolicy, system: string): SystemRows {
	const keyed = rows.map((columns) => ({ key: keyOf(entity, system, columns), columns }));
	return { rows: Object.fromEntries(keyed.map((row) => [keyTextOf(row.key), row])) };
}

/** I6: what a pump wrote although nobody had done anything since the last one. */
export function unaskedWrites(before: Facts, after: Facts): string[] {
	return [...after.transactions.keys(), ...after.versions.keys()].flatMap((system) => {
		const more = writesIn(after, system) - writesIn(before, system);
		return more === 0 ? [] : [`I6 another run wrote ${more} rows of ${system} although nobody had changed anything`];
	});
}
