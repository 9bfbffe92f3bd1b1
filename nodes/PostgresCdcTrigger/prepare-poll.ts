import type { EntityPolicy, Policy } from '../../src/core/policy';
import { lineageOf, STREAM_START } from '../../src/core/position';
import { unreadScopes } from '../../src/core/scopes';
import { type PollMoment, PollSnapshot } from '../../src/postgres/poll-snapshot';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import { invalid } from '../shared/settings';
import { requireAgreement } from './gap';
import { lookAtColumns } from './gone-columns';
import { placeOfCopy } from './ledger-behind';
import { hasDates } from './passing-dates';
import { checkPolled, driftOf, type Prepared, type PrepareRequest, tablesOf, wantedTables, withoutGone } from './prepare';
import { beginning, judgePolledStart, type StartFacts } from './registration';

/**
 * As `prepare`, for a system that is polled.
 *
 * @throws SyncError POLICY_UNPUBLISHED, INVALID_SETTING, PREFLIGHT_FAILED, CHANGES_MISSING, PRIVILEGE_MISSING, and
 * whatever keeps the store or the database from being reached
 */
export async function preparePoll(request: PrepareRequest): Promise<Prepared> {
	const { store, settings, source } = request;
	const { policy: name, system } = source;
	const loaded = await store.load({ policy: name });
	const published = requirePublished(loaded, name);
	const { policy } = policyInForce(published);
	const tables = tablesOf(policy, system);
	refuseUnpollable(policy, system);
	const moment = await momentOf(request);
	const facts: StartFacts = { record: loaded.streams[system] ?? null, slot: null, server: moment.server, slotName: settings.slot, database: settings.connection.database };
	const decision = await decided(facts, moment, { ...request, storeId: published.storeId });
	const look = await lookAtColumns(settings.connection, { policy, system, tables });
	const { record, gone, retyped } = driftOf(facts.record, { policy, system, look, isBegun: decision.kind === 'begin' });
	if (request.isThorough || unreadScopes(policy, system, record?.filterHash ?? '').length > 0) {
		const wanted = wantedTables(policy, system, tables).map((table) => ({ ...table, columns: withoutGone(table, gone) }));
		await checkPolled(settings.connection, wanted, request.log);
	}
	const lineage = decision.kind === 'begin' ? decision.lineage : lineageOf(facts.record?.position ?? STREAM_START);
	return { published, tables, server: moment.server, slot: null, record, decision, lineage, gone, retyped, columns: look.present };
}

async function momentOf({ settings }: PrepareRequest): Promise<PollMoment> {
	const snapshot = await PollSnapshot.open(settings.connection);
	try {
		return snapshot.moment;
	} finally {
		await snapshot.close();
	}
}

async function decided(facts: StartFacts, { next }: PollMoment, request: PrepareRequest & { readonly storeId: string }): Promise<Prepared['decision']> {
	const { store, source, settings, storeId } = request;
	const first = judgePolledStart(facts, next);
	const lookCloser = async () => await placeOfCopy(store, { stream: source, connection: settings.connection, storeId });
	const decision = first.kind === 'gap' ? beginning(facts, await requireAgreement(store, source, first, lookCloser)) : first;
	if (decision.kind === 'refuse') throw decision.error;
	if (decision.kind === 'gap') throw new TypeError('a gap that was agreed to is no gap');
	return decision;
}

/** What takes the order in which things happened, or a trace of what is gone, and a poll has neither. */
function refuseUnpollable(policy: Policy, system: string): void {
	for (const entity of policy.entities.values()) {
		const why = whyUnpollable(policy, system, entity);
		if (why !== null) throw invalid('Read Changes By', `cannot be Polling for ${system}: ${why}. Read its changes from the log, or take that out of the policy`);
	}
}

function whyUnpollable(policy: Policy, system: string, { name, tables }: EntityPolicy): string | null {
	if ((tables.get(system)?.parts.size ?? 0) > 0) return `records of ${name} have parts in further tables, and a row of those that is deleted leaves no trace`;
	return hasDates(policy, system) ? 'its rows are deleted by a date that passes (deletes.as), which has to be told in the order of all other changes' : null;
}
