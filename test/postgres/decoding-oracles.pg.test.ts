import fc from 'fast-check';
import pg from 'pg';
import { PgoutputPlugin } from 'pg-logical-replication';

import { equalJson, type Json } from '../../src/core/canonical-json';
import type { ChangeStream } from '../../src/postgres/change-stream';
import { columnText, isJsonType } from '../../src/postgres/column-text';
import { decodePgoutput, type RelationMessage, type RowMessage } from '../../src/postgres/pgoutput';
import { type Tuple, UNCHANGED } from '../../src/postgres/pgoutput-reader';
import { type Relation, type RowChange, rowValues } from '../../src/postgres/source-transaction';
import { type Subject, subject, SUBJECT_TYPES, subjectWith } from '../support/random-subject';
import { AUDIT, type Noted, openUser, readNoted, runSubject } from '../support/random-subject-run';
import { openStreamLab, type StreamLab } from '../support/stream-lab';
import { OWN_TYPES, TYPE_TEXTS, UNREADABLE_TYPES } from '../support/type-texts';

/**
 * Random tables of all types, random work on them, and two witnesses who know nothing of our decoder: what the
 * database itself noted of each row, and the decoder of another package. More with PROPERTY_RUNS=200; a failure
 * prints its seed, and PROPERTY_SEED gives the same tables again.
 */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 25);
const SEED = process.env['PROPERTY_SEED'] === undefined ? {} : { seed: Number(process.env['PROPERTY_SEED']) };

describe.each([15, 18] as const)('what Postgres %i sends of any table', (version) => {
	let lab: StreamLab;
	let stream: ChangeStream;
	let user: pg.PoolClient;
	let transactions: ReturnType<ChangeStream['transactions']>;
	let tables = 0;

	beforeAll(async () => {
		const setup = `${OWN_TYPES} ${AUDIT}
			create publication lab for all tables with (publish_via_partition_root = true
			${version === 18 ? ', publish_generated_columns = stored' : ''});`;
		lab = await openStreamLab('oracles', { version, setup });
		user = await openUser(lab.database.pool);
		await user.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [`${lab.slot}_raw`]);
		stream = await lab.open();
		transactions = stream.transactions();
	});
	afterAll(async () => {
		user.release();
		await lab.close();
	});

	/** The changes of one table, as our stream gives them. */
	async function changesOf(table: string): Promise<RowChange[]> {
		await user.query(`select pg_logical_emit_message(true, 'end', $1)`, [table]);
		const rows: RowChange[] = [];
		for (;;) {
			const { value } = await transactions.next();
			if (!value) throw new Error('the stream ended');
			stream.acknowledge(value.endLsn);
			for (const change of value.changes) {
				if (change.kind === 'message' && change.prefix === 'end' && change.content === table) return rows;
				if (change.kind === 'row' && change.relation.name === table) rows.push(change);
			}
		}
	}

	async function rawMessages(): Promise<Buffer[]> {
		const { rows } = await user.query<{ data: Buffer | string }>(
			`select data from pg_logical_slot_get_binary_changes($1, null, null,
			   'proto_version', '1', 'publication_names', 'lab', 'messages', 'true')`,
			[`${lab.slot}_raw`],
		);
		return rows.map(({ data }) => (typeof data === 'string' ? Buffer.from(data.slice(2), 'hex') : data));
	}

	async function check(random: Subject): Promise<void> {
		const table = `subject_${++tables}`;
		await runSubject(user, table, random);
		const [noted, changes] = [await readNoted(user, table), await changesOf(table)];
		expect(changes.map(({ op }) => op)).toEqual(noted.map(({ op }) => op));
		changes.forEach((change, at) => expectImages(change, noted[at]!));
		await expectValues(user, changes, noted);
		const messages = await rawMessages();
		withTexts(() => compareDecoders(messages));
		await user.query(`drop table ${table}; delete from audit.images`);
	}

	test('decodes to the rows that the database saw, and as another decoder reads it', async () => {
		await fc.assert(fc.asyncProperty(subject, check), { numRuns: RUNS, ...SEED, endOnFailure: true });
	});

	test('holds for every type there is, side by side', async () => {
		const [everything] = fc.sample(subjectWith(SUBJECT_TYPES, []), { numRuns: 1, seed: 7 });
		const insert = fc.tuple(...SUBJECT_TYPES.map(({ sql }) => sql));
		const steps = fc.sample(insert, { numRuns: 12, seed: 7 }).flatMap((values, key) => [{ do: 'insert', key, values } as const]);
		await check({ ...everything!, identity: 'full', isPartitioned: false, steps });
	});

	test('is tried with every type that the server has, each with values that it takes', async () => {
		for (const { sql } of SUBJECT_TYPES) {
			const values = fc.sample(sql, { numRuns: 8, seed: 1 });
			await user.query(`select ${values.join(', ')}`);
		}
		const { rows } = await user.query<{ typname: string }>(
			`select typname from pg_type t where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm')
			 and not exists (select from pg_type e where e.typarray = t.oid)`,
		);
		const known = [...Object.keys(TYPE_TEXTS), ...UNREADABLE_TYPES];
		expect(rows.map(({ typname }) => typname).sort()).toEqual(known.sort());
	});
});

/** Each version of a row against the texts that the database printed itself. */
function expectImages(change: RowChange, noted: Noted): void {
	const { relation, old, oldIsKeyOnly } = change;
	if (noted.op === 't') return;
	if (change.new) {
		const expected = { ...noted.new_texts };
		expect(Object.keys(textsOf(relation, change.new)).sort()).toEqual(Object.keys(published(relation, expected)).sort());
		for (const [name, text] of Object.entries(textsOf(relation, change.new))) {
			// Left out because it did not change: then the old version had the same.
			if (text === UNCHANGED) {
				expect(relation.replicaIdentity).not.toBe('full');
				expect(noted.old_texts?.[name]).toBe(expected[name]);
			} else expect({ [name]: text }).toEqual({ [name]: expected[name] });
		}
	}
	const identity = relation.columns.filter(({ isIdentity }) => isIdentity).map(({ name }) => name);
	if (old) {
		const shown = textsOf(relation, old);
		const names = oldIsKeyOnly ? identity : relation.columns.map(({ name }) => name);
		for (const name of names) expect({ [name]: shown[name] }).toEqual({ [name]: noted.old_texts?.[name] });
	} else if (noted.op === 'u') {
		for (const name of identity) expect(noted.new_texts?.[name]).toBe(noted.old_texts?.[name]);
	}
}

/** A generated column is not always published. */
function published(relation: Relation, texts: Noted['new_texts']): Record<string, unknown> {
	const isSent = (name: string): boolean => name !== 'computed' || relation.columns.some((column) => column.name === name);
	return Object.fromEntries(Object.entries(texts ?? {}).filter(([name]) => isSent(name)));
}

const textsOf = (relation: Relation, tuple: Tuple): Record<string, Tuple[number] | undefined> =>
	Object.fromEntries(relation.columns.map(({ name }, at) => [name, tuple[at]]));

/**
 * The values that events carry, given back to the database: read as the columns' types, they must be the very row
 * that it showed as JSON. What JSON or JavaScript cannot hold would not come back.
 */
async function expectValues(client: pg.ClientBase, changes: readonly RowChange[], noted: readonly Noted[]): Promise<void> {
	for (const [at, { relation, new: row }] of changes.entries()) {
		const image = noted[at]?.new_image;
		if (!row || !image) continue;
		const { values } = rowValues(relation, row);
		const columns = relation.columns.filter(({ name }) => Object.hasOwn(values, name));
		const types = await typeNames(client, columns);
		const list = columns.map(({ name }, index) => `${pg.escapeIdentifier(name)} ${types[index]}`).join(', ');
		const { rows } = await client.query<{ same: boolean; shown: string }>(
			`select to_jsonb(x) <@ $2::jsonb as same, to_jsonb(x)::text as shown from jsonb_to_record($1::jsonb) as x (${list})`,
			[payload(relation, row, values), image],
		);
		if (!rows[0]?.same) expect(rows[0]?.shown).toBe(image);
		expectJson(columns, values, image);
	}
}

/** By the type number of the array, that of the element: the server would take a list in such a list for a dimension. */
const JSON_ARRAYS: ReadonlyMap<number, number> = new Map([
	[199, 114],
	[3807, 3802],
]);

/** A document that was kept as text, for its numbers, is a document all the same. */
function payload({ columns }: Relation, row: Tuple, values: Readonly<Record<string, Json>>): string {
	const entries = columns.flatMap(({ name, typeOid }, at) => {
		const value = values[name];
		if (!Object.hasOwn(values, name) || value === undefined) return [];
		const isText = isJsonType(typeOid) && typeof value === 'string' && value === row[at];
		const elementOid = JSON_ARRAYS.get(typeOid);
		const shown = elementOid === undefined ? value : columnText(value, { cast: '', oid: typeOid, elementOid });
		return [`${JSON.stringify(name)}: ${isText ? value : JSON.stringify(shown)}`];
	});
	return `{${entries.join(', ')}}`;
}

/** What both sides have as plain JSON is the same JSON. */
function expectJson(columns: Relation['columns'], values: Readonly<Record<string, Json>>, image: string): void {
	const shown = JSON.parse(image) as Record<string, Json>;
	for (const { name } of columns) {
		const ours = values[name] ?? null;
		if (typeof ours === 'boolean' || ours === null) expect({ [name]: shown[name] }).toEqual({ [name]: ours });
		if (typeof ours === 'object' && ours !== null && !Array.isArray(ours)) expect(equalJson(ours, shown[name] ?? null)).toBe(true);
	}
}

const TYPE_NAMES = new WeakMap<pg.ClientBase, Map<string, string>>();

async function typeNames(client: pg.ClientBase, columns: Relation['columns']): Promise<string[]> {
	const known = TYPE_NAMES.get(client) ?? new Map<string, string>();
	TYPE_NAMES.set(client, known);
	const ids = columns.map(({ typeOid, typeModifier }) => `${typeOid}:${typeModifier}`);
	const missing = columns.filter((_, at) => !known.has(ids[at]!));
	if (missing.length > 0) {
		const { rows } = await client.query<{ name: string }>(
			`select format_type(o, m) as name from unnest($1::oid[], $2::int[]) with ordinality t (o, m, n) order by n`,
			[missing.map(({ typeOid }) => typeOid), missing.map(({ typeModifier }) => typeModifier)],
		);
		missing.forEach(({ typeOid, typeModifier }, at) => known.set(`${typeOid}:${typeModifier}`, rows[at]!.name));
	}
	return ids.map((id) => known.get(id)!);
}

/** The other decoder parses values; here it is to give the texts as they are. */
function withTexts(work: () => void): void {
	const types = pg.types as { getTypeParser: unknown };
	const { getTypeParser } = types;
	types.getTypeParser = () => (text: string) => text;
	try {
		work();
	} finally {
		types.getTypeParser = getTypeParser;
	}
}

/** The same bytes, read by us and by the other package. */
function compareDecoders(messages: readonly Buffer[]): void {
	const other = new PgoutputPlugin({ protoVersion: 1, publicationNames: ['lab'], messages: true });
	const relations = new Map<number, RelationMessage>();
	for (const bytes of messages) {
		const ours = decodePgoutput(bytes);
		const theirs = other.parse(bytes) as unknown as TheirMessage;
		expect(theirs.tag).toBe(ours.tag);
		if (ours.tag === 'relation') {
			relations.set(ours.oid, ours);
			expect(ours).toMatchObject({ schema: theirs.schema, name: theirs.name, replicaIdentity: theirs.replicaIdentity });
			expect(ours.columns).toEqual(
				theirs.columns!.map(({ name, flags, typeOid, typeMod }) => ({ name, isIdentity: flags === 1, typeOid: typeOid >>> 0, typeModifier: typeMod })),
			);
		} else if (ours.tag === 'insert' || ours.tag === 'update' || ours.tag === 'delete') {
			expect(theirs).toMatchObject(asTheirs(relations.get(ours.relationOid)!, ours));
		} else if (ours.tag === 'message') {
			expect(theirs).toMatchObject({ prefix: ours.prefix, transactional: ours.transactional });
			expect(Buffer.from(theirs.content!).toString('utf8')).toBe(ours.content);
		} else if (ours.tag === 'truncate') {
			expect(theirs.relations!.map((one) => one.relationOid)).toEqual(ours.relationOids);
		} else if (ours.tag === 'commit') {
			expect(Number(BigInt(theirs.commitTime!) / 1_000n)).toBe(ours.commitTsMs);
			expect(lsnOf(theirs.commitEndLsn!)).toBe(ours.endLsn);
		}
	}
}

interface TheirMessage {
	readonly tag: string;
	readonly schema?: string;
	readonly name?: string;
	readonly replicaIdentity?: string;
	readonly columns?: readonly { name: string; flags: number; typeOid: number; typeMod: number }[];
	readonly prefix?: string;
	readonly content?: Uint8Array;
	readonly relations?: readonly { relationOid: number }[];
	readonly commitTime?: bigint;
	readonly commitEndLsn?: string;
}

const lsnOf = (text: string): bigint => {
	const [high = '0', low = '0'] = text.split('/');
	return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
};

/** The other decoder loses a byte order mark that a text begins with. */
const withoutMark = (text: Tuple[number] | undefined): Tuple[number] | undefined => (typeof text === 'string' ? text.replace(/^\ufeff/, '') : text);

/** Our row as the other package shows it: undefined for what was not sent, and what FULL has of the old version filled in. */
function asTheirs({ columns }: RelationMessage, { old, oldIsKeyOnly, new: row }: RowMessage): Record<string, unknown> {
	const fallback = oldIsKeyOnly ? null : old;
	const show = (tuple: Tuple, isNew: boolean): Record<string, unknown> =>
		Object.fromEntries(
			columns.map(({ name }, at) => {
				const text = withoutMark(tuple[at]);
				const unsent = isNew ? withoutMark(fallback?.[at]) : undefined;
				return [name, text === UNCHANGED ? (unsent === UNCHANGED ? undefined : unsent) : text];
			}),
		);
	const key = (tuple: Tuple): Record<string, unknown> =>
		Object.fromEntries(columns.flatMap(({ name, isIdentity }, at) => (isIdentity ? [[name, withoutMark(tuple[at]) ?? undefined]] : [])));
	return {
		...(row ? { new: show(row, true) } : {}),
		...(old && !oldIsKeyOnly ? { old: show(old, false) } : {}),
		...(old && oldIsKeyOnly ? { key: key(old) } : {}),
	};
}
