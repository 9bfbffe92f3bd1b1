import { SyncError } from '../../src/core/errors';
import { EXISTENCE } from '../../src/core/link';
import { columnsRead, type Policy } from '../../src/core/policy';
import { unreadScopes } from '../../src/core/scopes';
import { type EventTables, policyTables } from '../../src/postgres/event-tables';
import { preflight, type Problem } from '../../src/postgres/preflight';
import type { WantedTable } from '../../src/postgres/preflight-facts';
import type { SystemIdentity } from '../../src/postgres/slot';
import { readSourceState } from '../../src/postgres/source-setup';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { PublishedPolicy, StreamRecord, SyncStore } from '../../src/store/sync-store';
import { invalid } from '../shared/settings';
import type { Log } from './deliver';
import { requireAgreement } from './gap';
import { judgeRestart, judgeStart, type StartDecision, type StartFacts } from './registration';
import type { StoreSource, TriggerSettings } from './settings';

/** Everything that must be known before the first event. */
export interface Prepared {
	readonly published: PublishedPolicy;
	readonly tables: EventTables;
	readonly server: SystemIdentity;
	readonly record: StreamRecord | null;
	readonly decision: Extract<StartDecision, { kind: 'begin' | 'resume' }>;
}

export interface PrepareRequest {
	readonly store: SyncStore;
	readonly settings: TriggerSettings;
	readonly source: StoreSource;
	readonly log: Log;
	/** Whether to look for everything that is wrong with the server, as at an activation. */
	readonly isThorough: boolean;
}

/**
 * Finds out how reading starts, and everything that stands in the way. Changes nothing, but for
 * asking a person about a gap.
 *
 * @throws SyncError POLICY_UNPUBLISHED, INVALID_SETTING, PREFLIGHT_FAILED, CHANGES_MISSING, LOG_REWOUND,
 * SLOT_EXISTS, and whatever keeps the store or the database from being reached
 */
export async function prepare(request: PrepareRequest): Promise<Prepared> {
	const { store, settings, source } = request;
	const { policy: name, system } = source;
	const loaded = await store.load({ policy: name });
	const published = requirePublished(loaded, name);
	const { policy } = policyInForce(published);
	const tables = tablesOf(policy, system);
	const { system: server, slot } = await readSourceState(settings.connection, settings.slot);
	const facts: StartFacts = {
		record: loaded.streams[system] ?? null,
		slot,
		server,
		slotName: settings.slot,
		database: settings.connection.database,
	};
	const decision = await decided(facts, request);
	// Of what a new version of the policy names nobody has looked yet whether it can be read.
	const unread = unreadScopes(policy, system, facts.record?.filterHash ?? '');
	const isNew = (entity: string): boolean =>
		unread.some((scope) => scope.entity === entity && scope.field === EXISTENCE);
	if (request.isThorough || unread.length > 0) {
		const wanted = wantedTables(policy, system, tables);
		const marked = wanted.map((table, at) => ({ ...table, isUnread: isNew(tables.all[at]?.entity ?? '') }));
		await checkServer(settings, marked, request.log);
	}
	return { published, tables, server, record: facts.record, decision };
}

/** @throws SyncError INVALID_SETTING when the policy has no tables for the system */
export function tablesOf(policy: Policy, system: string): EventTables {
	if (!policy.systems.includes(system)) {
		throw invalid(
			'System',
			`must be one of ${policy.systems.join(', ')}: the policy "${policy.name}" knows no "${system}"`,
		);
	}
	const tables = policyTables(policy, system);
	if (tables.all.length > 0) return tables;
	throw invalid('System', `is "${system}", for which the policy "${policy.name}" names no table`);
}

async function decided(
	facts: StartFacts,
	{ store, source }: PrepareRequest,
): Promise<Prepared['decision']> {
	const first = judgeStart(facts);
	if (first.kind === 'gap') await requireAgreement(store, source, first);
	const decision = first.kind === 'gap' ? judgeRestart(facts) : first;
	if (decision.kind === 'refuse') throw decision.error;
	if (decision.kind === 'gap') throw new TypeError('a gap that was agreed to is no gap');
	return decision;
}

/** The columns of a system's tables that the policy uses. */
export function wantedTables(policy: Policy, system: string, tables: EventTables): WantedTable[] {
	return tables.all.map(({ schema, table, key, entity }) => {
		const fields = [...(policy.entities.get(entity)?.fields.values() ?? [])];
		const columns = fields.flatMap((field) => columnsRead(field, system));
		return { schema, table, key, columns: [...new Set(columns)] };
	});
}

/**
 * Looks for all that keeps the changes from being read, and says all of it at once.
 *
 * @throws SyncError PREFLIGHT_FAILED; `details.fixes` has what to do, one line per problem
 */
export async function checkServer(
	settings: Pick<TriggerSettings, 'connection' | 'publication' | 'slot'>,
	tables: readonly WantedTable[],
	log: Log,
): Promise<void> {
	const { connection, publication, slot } = settings;
	// What is wrong with the slot was judged against what the store knows of it.
	const problems = (await preflight({ connection, publication, slot, tables })).filter(
		({ code }) => code !== 'SLOT_UNUSABLE',
	);
	const errors = problems.filter(({ severity }) => severity === 'error');
	if (errors.length > 0) throw preflightError(errors, connection.database);
	for (const { message, fix } of problems) log.warn(`${message}. ${fix}`);
}

function preflightError(errors: readonly Problem[], database: string): SyncError {
	const list = errors.map(({ message }, index) => `${index + 1}. ${message}`).join('; ');
	const headline = errors.length === 1 ? 'One thing stands' : `${errors.length} things stand`;
	return new SyncError(
		'PREFLIGHT_FAILED',
		`${headline} in the way of reading changes from "${database}": ${list}`,
		{
			details: { fixes: errors.map(({ fix }, index) => `${index + 1}. ${fix}`) },
		},
	);
}
