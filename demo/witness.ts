import type { Json } from '../src/core/canonical-json';
import { type Marker, parseMarker } from '../src/core/marker';
import { openChangeStream } from '../src/postgres/change-stream';
import { createSlot } from '../src/postgres/create-slot';
import {
	oldRowValues,
	rowValues,
	type SourceTransaction,
} from '../src/postgres/source-transaction';
import { type DemoDatabases, runSql, type SystemDatabase } from './databases';

const SLOT = 'witness';

/** A write of ours as it stands in the target's own log. */
export interface WitnessedWrite {
	readonly system: string;
	readonly marker: Marker;
	/** The row's values before, by column; null for a new row, and when no row was written. */
	readonly before: Readonly<Record<string, Json>> | null;
	/** Null after a delete, and when no row was written. */
	readonly after: Readonly<Record<string, Json>> | null;
}

/** Reads both systems' logs from the moment it was started, beside the sync and unknown to it. */
export interface Witness {
	/** Everything that was marked as a write of the sync since then. Ends the witness. */
	testify(): Promise<readonly WitnessedWrite[]>;
}

/** Makes a replication slot of its own on each system. */
export async function startWitness({ crm, billing }: DemoDatabases): Promise<Witness> {
	const systems = [crm, billing];
	for (const system of systems) {
		const slot = await createSlot(system.adminSettings, { name: slotName(system) });
		await slot.release();
	}
	return {
		testify: async () =>
			(await Promise.all(systems.map(async (system) => await readAll(system)))).flat(),
	};
}

const slotName = ({ name }: SystemDatabase): string => `${SLOT}_${name}`;

async function readAll(system: SystemDatabase): Promise<WitnessedWrite[]> {
	const { rows } = await system.app.query<{ lsn: string }>(
		'select pg_current_wal_lsn()::text as lsn',
	);
	const [high = '0', low = '0'] = (rows[0]?.lsn ?? '0/0').split('/');
	const end = (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
	const writes: WitnessedWrite[] = [];
	let isOver = false;
	const stream = await openChangeStream({
		connection: system.adminSettings,
		slot: slotName(system),
		publications: ['bisync_crm_billing'],
		// Nothing more to read before `walEnd`: the stream has said all it had to say.
		onIdle: (walEnd) => {
			if (walEnd < end || isOver) return;
			isOver = true;
			void stream.close();
		},
	});
	for await (const transaction of stream.transactions()) {
		writes.push(...writesIn(system.name, transaction));
		stream.acknowledge(transaction.endLsn);
	}
	await stream.close();
	await dropSlot(system);
	return writes;
}

async function dropSlot(system: SystemDatabase): Promise<void> {
	await runSql(system.adminSettings, `select pg_drop_replication_slot('${slotName(system)}')`);
}

/** Pairs each marker with the last image of its row in the same transaction. */
function writesIn(system: string, { changes }: SourceTransaction): WitnessedWrite[] {
	const markers = changes.flatMap((change) => {
		if (change.kind !== 'message' || !change.prefix.startsWith('bisync:')) return [];
		return [parseMarker(change.content)].filter((marker) => marker !== null);
	});
	const rows = changes.flatMap((change) => {
		if (change.kind !== 'row') return [];
		const after = change.new === null ? null : rowValues(change.relation, change.new).values;
		return [{ before: oldRowValues(change)?.values ?? null, after }];
	});
	return markers.map((marker) => {
		const row = rows.find(({ before, after }) => hasKey(after ?? before, marker));
		return { system, marker, before: row?.before ?? null, after: row?.after ?? null };
	});
}

function hasKey(row: WitnessedWrite['before'], { key }: Marker): boolean {
	if (row === null || key === null) return false;
	return Object.entries(key).every(([column, value]) => row[column] === value);
}
