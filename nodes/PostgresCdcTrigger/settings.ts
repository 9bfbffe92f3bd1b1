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
	/** An execution gets whole transactions of no more changes than this, if there are several. */
	readonly maxChanges: number;
	/** How long changes are gathered; see `Pace`. */
	readonly maxWaitMs: number;
	/** Null: changes are read from the log. */
	readonly polling: PollingSettings | null;
	/** With a sync store, whose policy names the tables; or just tables. */
	readonly source: StoreSource | TableSource;
}

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
	/** Whether the rows that are there already are read first. */
	readonly readsExisting: boolean;
	/** How often due links are looked for. */
	readonly sweepMs: number;
}

export interface TableSource extends TableRules {
	readonly kind: 'tables';
}

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
		maxWaitMs: wholeNumber('Max Wait (Milliseconds)', options['maxWaitMs'] ?? 100, 0),
	};
	const usesStore = yesOrNo('Use Sync Store', parameter('useStore'));
	const polling = pollingOf(parameter, usesStore);
	if (!usesStore) {
		const names = polling
			? { publication: POLLED, slot: POLLED }
			: {
					publication: postgresName('Publication', text('Publication', parameter('publication'))),
					slot: slotName('Replication Slot', text('Replication Slot', parameter('slot'))),
				};
		return { connection, ...names, ...limits, polling, source: { kind: 'tables', ...readTableRules(parameter) } };
	}
	const source = storeSource(parameter, options);
	if (polling) return { connection, publication: POLLED, slot: POLLED, ...limits, polling, source };
	const { policy, system } = source;
	const publication = optionalText('Publication Name', options['publicationName']);
	const slot = optionalText('Slot Name', options['slotName']);
	return {
		connection,
		publication: postgresName('Publication Name', publication || defaultName('bisync', policy)),
		slot: slotName('Slot Name', slot || defaultName('bisync', policy, system)),
		...limits,
		polling,
		source,
	};
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
): StoreSource {
	return {
		kind: 'store',
		policy: text('Policy', parameter('policy')),
		system: text('System', parameter('system')),
		readsExisting: yesOrNo('Read Existing Rows', options['firstContact'] ?? true),
		sweepMs: 1_000 * wholeNumber('Sweep Interval (Seconds)', options['sweepSeconds'] ?? 5, 1),
	};
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
