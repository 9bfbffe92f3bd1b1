import type { ITriggerFunctions } from 'n8n-workflow';

import { sha256Hex } from '../../src/core/canonical-json';
import type { PgSettings } from '../../src/postgres/connect';
import { POLLED } from '../../src/store/stream-record';
import { databaseSettings } from '../shared/open-database';
import { invalid, oneOf, optionalText, text, wholeNumber, yesOrNo } from '../shared/settings';
import { readTableRules, type TableRules } from './table-rules';

export interface TriggerSettings {
	readonly connection: PgSettings;
	readonly publication: string;
	readonly slot: string;
	/** Whether standbys keep the slot, too. Absent: a slot that is there stays as it is, a new one is not kept. */
	readonly failover?: boolean | undefined;
	/** An execution gets whole transactions of no more changes than this, if there are several. */
	readonly maxChanges: number;
	/** How many tables are read at once where rows that are there already are read; default `TABLES_AT_ONCE`. */
	readonly tablesAtOnce?: number | undefined;
	/** How long changes are gathered; see `Pace`. */
	readonly maxWaitMs: number;
	/** Null: changes are read from the log. */
	readonly polling: PollingSettings | null;
	/** With a sync store, whose policy names the tables; or just tables. */
	readonly source: StoreSource | TableSource;
}

/** Each takes a connection to the database while its rows are read. */
export const TABLES_AT_ONCE = 2;
const MAX_TABLES_AT_ONCE = 4;

export interface PollingSettings {
	/** From the end of one poll to the beginning of the next. */
	readonly everyMs: number;
	/** Rows that are gone are looked for in every so manieth poll; 0: never. */
	readonly deletesEvery: number;
}

export interface StoreSource {
	readonly kind: 'store';
	readonly policy: string;
	readonly system: string;
	/** Whether rows are read again without asking where changes are missing, and the server is the same and no older copy. */
	readonly readsAfterGap: boolean;
	/** How often due links are looked for. */
	readonly sweepMs: number;
}

export interface TableSource extends TableRules {
	readonly kind: 'tables';
	readonly rows: RowsMode;
}

/**
 * What is read of rows that are there already. `initial`: all, once, before their changes. `never`: none. `only`: all, once, and no
 * changes. `whenNeeded`: as `initial`, and again after changes were lost.
 */
export type RowsMode = (typeof ROWS_MODES)[number];
const ROWS_MODES = ['initial', 'never', 'only', 'whenNeeded'] as const;

type SettingsContext = Pick<ITriggerFunctions, 'getNodeParameter' | 'getCredentials'>;

/**
 * Reads the node's parameters.
 *
 * @throws SyncError INVALID_SETTING, naming the field
 */
export async function readSettings(context: SettingsContext): Promise<TriggerSettings> {
	const parameter = (name: string): unknown => context.getNodeParameter(name, undefined);
	const options = (parameter('options') ?? {}) as Readonly<Record<string, unknown>>;
	const connection = await databaseSettings(context, parameter('connectWith'));
	const limits = {
		maxChanges: wholeNumber('Max Changes per Execution', options['maxChanges'] ?? 1_000, 1),
		tablesAtOnce: tablesAtOnce(options['tablesAtOnce']),
		maxWaitMs: wholeNumber('Max Wait (Milliseconds)', options['maxWaitMs'] ?? 100, 0),
	};
	const failover = options['failover'] === undefined ? undefined : yesOrNo('Failover Slot', options['failover']);
	const usesStore = yesOrNo('Use Sync Store', parameter('useStore'));
	const polling = pollingOf(parameter, usesStore);
	if (!usesStore) {
		const rows = polling ? 'never' : rowsMode(parameter, 'never');
		const names = polling || rows === 'only' ? { publication: POLLED, slot: POLLED } : givenNames(parameter);
		return { connection, ...names, failover, ...limits, polling, source: { kind: 'tables', ...readTableRules(parameter), rows } };
	}
	// The field is not there where the system is polled.
	const source = storeSource(parameter, options, polling ? 'initial' : rowsOfPolicy(parameter));
	if (polling) return { connection, publication: POLLED, slot: POLLED, ...limits, polling, source };
	const { policy, system } = source;
	const publication = optionalText('Publication Name', options['publicationName']);
	const slot = optionalText('Slot Name', options['slotName']);
	return {
		connection,
		publication: postgresName('Publication Name', publication || defaultName('bisync', policy)),
		slot: slotName('Slot Name', slot || defaultName('bisync', policy, system)),
		failover,
		...limits,
		polling,
		source,
	};
}

function tablesAtOnce(given: unknown): number {
	const count = wholeNumber('Tables Read at Once', given ?? TABLES_AT_ONCE, 1);
	if (count <= MAX_TABLES_AT_ONCE) return count;
	throw invalid('Tables Read at Once', `must be ${MAX_TABLES_AT_ONCE} at most: each takes a connection to the database, and executions run one after the other anyway`);
}

/** @param usesStore - then rows that are gone must be looked for: a sync would write them again */
function pollingOf(parameter: (name: string) => unknown, usesStore: boolean): PollingSettings | null {
	// Workflows that were made before there was a choice say nothing.
	if (oneOf('Read Changes By', parameter('readBy') ?? 'log', ['log', 'polling'] as const) === 'log') return null;
	return {
		everyMs: 1_000 * wholeNumber('Poll Interval (Seconds)', parameter('pollSeconds') ?? 30, 1),
		deletesEvery: wholeNumber('Look for Deleted Rows (Every so Many Polls)', parameter('deletesEvery') ?? 1, usesStore ? 1 : 0),
	};
}

function storeSource(
	parameter: (name: string) => unknown,
	options: Readonly<Record<string, unknown>>,
	rows: 'initial' | 'whenNeeded',
): StoreSource {
	return {
		kind: 'store',
		policy: text('Policy', parameter('policy')),
		system: text('System', parameter('system')),
		readsAfterGap: rows === 'whenNeeded',
		sweepMs: 1_000 * wholeNumber('Sweep Interval (Seconds)', options['sweepSeconds'] ?? 5, 1),
	};
}

function givenNames(parameter: (name: string) => unknown): Pick<TriggerSettings, 'publication' | 'slot'> {
	return {
		publication: postgresName('Publication', text('Publication', parameter('publication'))),
		slot: slotName('Replication Slot', text('Replication Slot', parameter('slot'))),
	};
}

/** @param otherwise - of workflows that were made before there was a choice */
function rowsMode(parameter: (name: string) => unknown, otherwise: RowsMode): RowsMode {
	return oneOf('Existing Rows', parameter('existingRows') ?? otherwise, ROWS_MODES);
}

/** @throws SyncError INVALID_SETTING for what would let a sync damage records */
function rowsOfPolicy(parameter: (name: string) => unknown): 'initial' | 'whenNeeded' {
	const rows = rowsMode(parameter, 'initial');
	switch (rows) {
		case 'never':
			throw invalid('Existing Rows', 'cannot be Never with a policy: a record whose row has not been read looks as if this system had none, and would be made here a second time');
		case 'only':
			throw invalid('Existing Rows', 'cannot be Only with a policy: what changes in this system afterwards would not be seen, and be overwritten by the others');
		default:
			return rows;
	}
}

/** Longer names are cut by Postgres, and two of them could become the same. */
const MAX_NAME_LENGTH = 63;

/** A name for a slot or publication, made of others. Distinct where they are, also when it had to be cut. */
export function defaultName(...parts: readonly string[]): string {
	const whole = parts
		.join('_')
		.toLowerCase()
		.replaceAll(/[^a-z0-9_]/g, '_');
	if (whole.length <= MAX_NAME_LENGTH) return whole;
	return `${whole.slice(0, MAX_NAME_LENGTH - 9)}_${sha256Hex(parts.join('\n')).slice(0, 8)}`;
}

function postgresName(label: string, name: string): string {
	if (name.length <= MAX_NAME_LENGTH) return name;
	throw invalid(label, `must have at most ${MAX_NAME_LENGTH} characters`);
}

function slotName(label: string, name: string): string {
	if (/^[a-z0-9_]+$/.test(name)) return postgresName(label, name);
	throw invalid(
		label,
		`may have only small letters, digits and _: Postgres allows no others in "${name}"`,
	);
}
