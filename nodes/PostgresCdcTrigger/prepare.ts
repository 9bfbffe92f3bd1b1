import { SyncError } from '../../src/core/errors';
import { type GoneColumn, type RetypedColumn, retypedColumns, scopesOf } from '../../src/core/table-drift';
import { EXISTENCE } from '../../src/core/link';
import { apiOf, columnsRead, type Policy } from '../../src/core/policy';
import { lineageOf, type Position, STREAM_START } from '../../src/core/position';
import { columnsOfTable } from '../../src/core/record-parts';
import { type Scope, stillRead, unreadScopes } from '../../src/core/scopes';
import { type EventTables, policyTables } from '../../src/postgres/event-tables';
import type { PgSettings } from '../../src/postgres/connect';
import { preflight, preflightPolled, type Problem } from '../../src/postgres/preflight';
import type { PreflightRequest, WantedTable } from '../../src/postgres/preflight-facts';
import type { SlotState, SystemIdentity } from '../../src/postgres/slot';
import { readSourceState } from '../../src/postgres/source-setup';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { Loaded, PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import type { StreamRecord } from '../../src/store/stream-record';
import { invalid } from '../shared/settings';
import type { Log } from './deliver';
import { type ColumnLook, lookAtColumns } from './gone-columns';
import { placeOfCopy } from './ledger-behind';
import { requireAgreement } from './gap';
import { agreeByItself } from './read-after-gap';
import { beginning, judgeStart, type StartDecision, type StartFacts } from './registration';
import type { StoreSource, TriggerSettings } from './settings';

/** Everything that must be known before the first event. */
export interface Prepared {
	readonly published: PublishedPolicy;
	readonly tables: EventTables;
	readonly server: SystemIdentity;
	readonly record: StreamRecord | null;
	/** As it was looked at. */
	readonly slot: SlotState | null;
	readonly decision: Extract<StartDecision, { kind: 'begin' | 'resume' }>;
	/** Of the stream; see `inLineage`. */
	readonly lineage: number;
	/** Columns that fields need and the tables have not, once the stream has begun: those fields wait, and all else goes on. */
	readonly gone: readonly GoneColumn[];
	/** Columns that fields need and that have another type than when they were read: those fields are read anew. */
	readonly retyped: readonly RetypedColumn[];
	/** All columns that the tables have, as typed labels. */
	readonly columns: readonly string[];
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
 * @throws SyncError POLICY_UNPUBLISHED, STORE_LOST, INVALID_SETTING, PREFLIGHT_FAILED, CHANGES_MISSING, LOG_REWOUND,
 * and whatever keeps the store or the database from being reached
 */
export async function prepare(request: PrepareRequest): Promise<Prepared> {
	const { store, settings, source } = request;
	const { policy: name, system } = source;
	const loaded = await store.load({ policy: name });
	const published = loaded.policy ?? (await whyUnpublished(request, loaded));
	const { policy } = policyInForce(published);
	const tables = tablesOf(policy, system);
	const { system: server, slot } = await readSourceState(settings.connection, settings.slot);
	const found: StartFacts = {
		record: loaded.streams[system] ?? null,
		slot,
		server,
		slotName: settings.slot,
		database: settings.connection.database,
	};
	// Somebody who still reads acknowledges to the store first: the slot may be ahead of what was loaded before it was looked at.
	const isAhead = judgeStart(found).kind === 'gap';
	const facts = isAhead ? { ...found, record: (await store.load({ policy: name })).streams[system] ?? null } : found;
	const decision = await decided(facts, request, published.storeId);
	// At the very first start it is a mistake in the policy, which the preflight reports with all others.
	const look = await lookAtColumns(settings.connection, { policy, system, tables });
	const { record, gone, retyped } = driftOf(facts.record, { policy, system, look, isBegun: decision.kind === 'begin' });
	// Of what a new version of the policy names nobody has looked yet whether it can be read.
	const unread = unreadScopes(policy, system, record?.filterHash ?? '');
	if (request.isThorough || unread.length > 0) {
		const wanted = wantedTables(policy, system, tables);
		const marked = wanted.map((table, at) => ({
			...table,
			columns: withoutGone(table, gone),
			isUnread: isUnread(policy, system, { table, entity: tables.published[at]?.entity ?? '', unread }),
		}));
		await checkServer(settings, marked, request.log);
	}
	const lineage = decision.kind === 'begin' ? decision.lineage : lineageOf(facts.record?.position ?? STREAM_START);
	return { published, tables, server, record, slot, decision, lineage, gone, retyped, columns: look.present };
}

type Drift = Pick<Prepared, 'record' | 'gone' | 'retyped'>;

/** What has become of the columns since the stream was registered. What was read of one that has another type now is unread. */
export function driftOf(
	record: StreamRecord | null,
	{ policy, system, look, isBegun }: { policy: Policy; system: string; look: ColumnLook; isBegun: boolean },
): Drift {
	if (record === null) return { record, gone: [], retyped: [] };
	const retyped = isBegun ? [] : retypedColumns(policy, system, record.columns ?? [], look.present);
	if (retyped.length === 0) return { record, gone: look.gone, retyped };
	const filterHash = stillRead(policy, system, { hash: record.filterHash, without: new Set(scopesOf(retyped)) });
	return { record: { ...record, filterHash }, gone: look.gone, retyped };
}

/**
 * A slot is made for a published policy alone: where there is one, the store has known the policy.
 *
 * @throws SyncError STORE_LOST, POLICY_UNPUBLISHED
 */
async function whyUnpublished({ settings, source }: PrepareRequest, loaded: Loaded): Promise<PublishedPolicy> {
	const { slot } = await readSourceState(settings.connection, settings.slot);
	if (!slot) return requirePublished(loaded, source.policy);
	throw new SyncError(
		'STORE_LOST',
		`Slot "${slot.name}" keeps the changes of ${source.system} for this trigger, but the sync store knows no policy "${source.policy}": ` +
			'it has lost its memory, or is another one than before',
	);
}

/** @throws SyncError INVALID_SETTING when the policy has no tables for the system, WRONG_KIND_OF_SYSTEM when it has an API */
export function tablesOf(policy: Policy, system: string): EventTables {
	if (!policy.systems.includes(system)) {
		throw invalid(
			'System',
			`must be one of ${policy.systems.join(', ')}: the policy "${policy.name}" knows no "${system}"`,
		);
	}
	const tables = policyTables(policy, system);
	if (tables.all.length > 0) return tables;
	if ([...policy.entities.values()].some((entity) => apiOf(entity, system) !== null)) {
		throw new SyncError('WRONG_KIND_OF_SYSTEM', `The policy "${policy.name}" reaches ${system} through an API, which has no change stream for this trigger`);
	}
	throw invalid('System', `is "${system}", for which the policy "${policy.name}" names no table`);
}

async function decided(
	facts: StartFacts,
	{ store, source, settings, log }: PrepareRequest,
	storeId: string,
): Promise<Prepared['decision']> {
	const first = judgeStart(facts);
	const lookCloser = async (): Promise<Position | null> => await placeOfCopy(store, { stream: source, connection: settings.connection, storeId });
	// A slot of which the store knows nothing, or another server, may be anybody's.
	const isOurs = facts.record !== null && facts.record.systemId === facts.server.systemId;
	if (first.kind === 'gap' && source.readsAfterGap && isOurs) await agreeByItself(store, source, { gap: first, lookCloser, log });
	const decision = first.kind === 'gap' ? beginning(facts, await requireAgreement(store, source, first, lookCloser)) : first;
	if (decision.kind === 'refuse') throw decision.error;
	if (decision.kind === 'gap') throw new TypeError('a gap that was agreed to is no gap');
	return decision;
}

/** The columns of a system's tables that the policy uses. */
export function wantedTables(policy: Policy, system: string, tables: EventTables): WantedTable[] {
	return tables.published.map(({ schema, table, key, entity }) => {
		const { fields, tables: bound } = policy.entities.get(entity) ?? { fields: new Map<string, never>(), tables: new Map<string, never>() };
		const binding = bound.get(system);
		const columns = [...fields.values()].flatMap((field) => columnsRead(field, system));
		const own = binding ? columnsOfTable(binding, { schema, table }, columns) : [];
		return { schema, table, key, columns: [...new Set(own)] };
	});
}

/** Whether nothing of a table has been read yet: no record, or of a part's table no field. */
export function isUnread(
	policy: Policy,
	system: string,
	{ table, entity: name, unread }: { table: WantedTable; entity: string; unread: readonly Scope[] },
): boolean {
	const entity = policy.entities.get(name);
	const binding = entity?.tables.get(system);
	const isNew = (field: string): boolean => unread.some((scope) => scope.entity === name && scope.field === field);
	if (!entity || !binding || isNew(EXISTENCE)) return true;
	const isPart = binding.schema !== table.schema || binding.table !== table.table;
	return isPart && [...entity.fields.values()].every((field) => columnsOfTable(binding, table, columnsRead(field, system)).length === 0 || isNew(field.name));
}

export function withoutGone({ schema, table, columns }: WantedTable, gone: readonly GoneColumn[]): string[] {
	const names = gone.filter((one) => one.schema === schema && one.table === table).map(({ column }) => column);
	return columns.filter((column) => !names.includes(column));
}

/**
 * Looks for all that keeps the changes from being read, and says all of it at once.
 *
 * @throws SyncError PREFLIGHT_FAILED; `details.fixes` has what to do, one line per problem
 */
export async function checkServer(
	settings: Pick<TriggerSettings, 'connection' | 'publication' | 'slot' | 'failover'> & Pick<PreflightRequest, 'operations'>,
	tables: readonly WantedTable[],
	log: Log,
): Promise<void> {
	const { connection, publication, slot, operations, failover } = settings;
	// What is wrong with the slot was judged against what the store knows of it.
	const problems = (await preflight({ connection, publication, slot, tables, operations, failover })).filter(
		({ code }) => code !== 'SLOT_UNUSABLE',
	);
	tell(problems, connection.database, log);
}

/** The same for tables that are polled. @throws SyncError PREFLIGHT_FAILED */
export async function checkPolled(connection: PgSettings, tables: readonly WantedTable[], log: Log): Promise<void> {
	tell(await preflightPolled(connection, tables), connection.database, log);
}

function tell(problems: readonly Problem[], database: string, log: Log): void {
	const errors = problems.filter(({ severity }) => severity === 'error');
	if (errors.length > 0) throw preflightError(errors, database);
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
