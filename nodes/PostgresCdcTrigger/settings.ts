import type { ITriggerFunctions } from 'n8n-workflow';

import { sha256Hex } from '../../src/core/canonical-json';
import type { PgSettings } from '../../src/postgres/connect';
import type { TableName } from '../../src/postgres/publication';
import { databaseSettings } from '../shared/open-database';
import { invalid, nameList, optionalText, text, wholeNumber, yesOrNo } from '../shared/settings';

export interface TriggerSettings {
	readonly connection: PgSettings;
	readonly publication: string;
	readonly slot: string;
	/** An execution gets whole transactions of no more changes than this, if there are several. */
	readonly maxChanges: number;
	/** How long changes are gathered; see `Pace`. */
	readonly maxWaitMs: number;
	/** With a sync store, whose policy names the tables; or just tables. */
	readonly source: StoreSource | TableSource;
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

export interface TableSource {
	readonly kind: 'tables';
	readonly tables: readonly TableName[];
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
	if (!yesOrNo('Use Sync Store', parameter('useStore'))) {
		return {
			connection,
			publication: postgresName('Publication', text('Publication', parameter('publication'))),
			slot: slotName('Replication Slot', text('Replication Slot', parameter('slot'))),
			...limits,
			source: { kind: 'tables', tables: nameList('Tables', parameter('tables')).map(tableOf) },
		};
	}
	const source = storeSource(parameter, options);
	const { policy, system } = source;
	const publication = optionalText('Publication Name', options['publicationName']);
	const slot = optionalText('Slot Name', options['slotName']);
	return {
		connection,
		publication: postgresName('Publication Name', publication || defaultName('bisync', policy)),
		slot: slotName('Slot Name', slot || defaultName('bisync', policy, system)),
		...limits,
		source,
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

/** "schema.table", or "table" in the schema public. */
function tableOf(name: string): TableName {
	const parts = name.split('.');
	const [schema = '', table = ''] = parts.length === 1 ? ['public', name] : parts;
	if (parts.length <= 2 && schema !== '' && table !== '') return { schema, table };
	throw invalid('Tables', `must be a list of names such as public.customers; "${name}" is not one`);
}
