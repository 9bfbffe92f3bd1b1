import { SyncError } from '../../src/core/errors';
import { judge, type Problem } from '../../src/postgres/preflight';
import type {
	PreflightFacts,
	PreflightRequest,
	TableFacts,
} from '../../src/postgres/preflight-facts';
import { IDLE_SLOT } from '../support/idle-slot';

const request: PreflightRequest = {
	connection: { host: 'h', port: 5432, user: 'sync', password: '', database: 'crm' },
	publication: 'bisync',
	slot: 'bisync',
	tables: [{ schema: 'public', table: 'customers', key: ['id'], columns: ['name'] }],
};

const customers: TableFacts = {
	kind: 'r',
	persistence: 'p',
	mayUseSchema: true,
	isOwner: true,
	hidesRows: false,
	columns: ['id', 'name'].map((name) => ({
		name,
		isNullable: name !== 'id',
		isGenerated: false,
		maySelect: true,
	})),
	uniqueKeys: [['id']],
	storage: [
		{
			schema: 'public',
			table: 'customers',
			replicaIdentity: 'full',
			identityColumns: ['id', 'name'],
		},
	],
};

const facts: PreflightFacts = {
	server: {
		versionNum: 170_004,
		database: 'crm',
		role: 'sync',
		encoding: 'UTF8',
		walLevel: 'logical',
		isStandby: false,
		maxReplicationSlots: 10,
		usedReplicationSlots: 2,
		maxWalSenders: 10,
		usedWalSenders: 2,
		maxSlotWalKeepMb: 50_000,
		mayCreate: true,
		synchronizedStandbySlots: '',
		deniedMessageFunction: null,
	},
	replicationError: null,
	publication: null,
	slot: null,
	tables: [customers],
};

type ServerFacts = PreflightFacts['server'];
const withServer = (server: Partial<ServerFacts>) =>
	judge({ ...facts, server: { ...facts.server, ...server } }, request);
const withTable = (table: Partial<TableFacts>, more: Partial<PreflightRequest> = {}) =>
	judge({ ...facts, tables: [{ ...customers, ...table }] }, { ...request, ...more });
const identity = (
	replicaIdentity: 'default' | 'nothing' | 'index',
	identityColumns: string[],
	table = 'customers',
) => ({
	schema: 'public',
	table,
	replicaIdentity,
	identityColumns,
});
const brief = (problems: readonly Problem[]) =>
	problems.map(({ severity, code, fix }) => [severity, code, fix]);

test('nothing is reported when nothing stands in the way', () => {
	expect(judge(facts, request)).toEqual([]);
});

test.each<[Partial<ServerFacts>, 'error' | 'warning', string, RegExp]>([
	[{ versionNum: 130_010 }, 'error', 'SERVER_TOO_OLD', /Postgres 14 or later/],
	[{ isStandby: true }, 'error', 'SERVER_IS_STANDBY', /primary/],
	[{ walLevel: 'replica' }, 'error', 'WAL_LEVEL', /alter system set wal_level = 'logical'/],
	[{ usedReplicationSlots: 10 }, 'error', 'SLOTS_EXHAUSTED', /max_replication_slots = 20/],
	[{ usedWalSenders: 10 }, 'error', 'WAL_SENDERS_EXHAUSTED', /max_wal_senders = 20/],
	[{ maxSlotWalKeepMb: -1 }, 'warning', 'WAL_KEPT_WITHOUT_LIMIT', /max_slot_wal_keep_size/],
	[{ encoding: 'SQL_ASCII' }, 'warning', 'ENCODING_UNKNOWN', /UTF8/],
	[
		{ deniedMessageFunction: 'f(a)' },
		'warning',
		'MESSAGE_DENIED',
		/grant execute on function f\(a\) to "sync";/,
	],
])('server facts %j give the %s %s', (server, severity, code, fix) => {
	expect(brief(withServer(server))).toEqual([[severity, code, expect.stringMatching(fix)]]);
});

test('a slot that standbys keep takes Postgres 17, and standbys that the stream waits for', () => {
	const wanting = (server: Partial<ServerFacts>) => brief(judge({ ...facts, server: { ...facts.server, ...server } }, { ...request, failover: true }));
	expect(wanting({ versionNum: 160_003, synchronizedStandbySlots: null })).toEqual([['error', 'FAILOVER_UNSUPPORTED', expect.stringContaining('Postgres 17')]]);
	expect(wanting({})).toEqual([['warning', 'FAILOVER_UNGUARDED', expect.stringContaining('alter system set synchronized_standby_slots')]]);
	expect(wanting({ synchronizedStandbySlots: 'standby_1' })).toEqual([]);
});

test('a role that cannot replicate is told how it may', () => {
	const replicationError = new SyncError('PRIVILEGE_MISSING', 'No.');
	expect(brief(judge({ ...facts, replicationError }, request))).toEqual([
		['error', 'REPLICATION_DENIED', expect.stringContaining('alter role "sync" with replication;')],
	]);
});

test.each<[Partial<TableFacts>, 'error' | 'warning', string, string]>([
	[{ kind: 'v' }, 'error', 'TABLE_MISSING', 'Name the table behind it'],
	[
		{ persistence: 'u' },
		'error',
		'TABLE_NOT_LOGGED',
		'alter table "public"."customers" set logged;',
	],
	[{ columns: [customers.columns[0]!] }, 'error', 'COLUMN_MISSING', 'add it to the table'],
	[
		{
			columns: customers.columns.map((column) => ({
				...column,
				isGenerated: column.name === 'name',
			})),
		},
		'error',
		'COLUMN_GENERATED',
		'computed from',
	],
	[
		{ columns: customers.columns.map((column) => ({ ...column, maySelect: false })) },
		'error',
		'SELECT_DENIED',
		'grant select on "public"."customers" to "sync";',
	],
	[{ mayUseSchema: false }, 'error', 'SELECT_DENIED', 'grant usage on schema "public" to "sync";'],
	[{ hidesRows: true }, 'error', 'ROWS_HIDDEN', 'alter role "sync" bypassrls;'],
	[
		{ uniqueKeys: [['id', 'name']] },
		'error',
		'KEY_NOT_UNIQUE',
		'create unique index on "public"."customers" ("id");',
	],
	[
		{ columns: customers.columns.map((column) => ({ ...column, isNullable: true })) },
		'warning',
		'KEY_NULLABLE',
		'alter column "id" set not null;',
	],
	[
		{ storage: [identity('nothing', [])] },
		'error',
		'IDENTITY_NOTHING',
		'alter table "public"."customers" replica identity full;',
	],
	[{ storage: [identity('default', [])] }, 'error', 'IDENTITY_NOTHING', 'replica identity full;'],
	[
		{ storage: [identity('index', ['name'])] },
		'error',
		'IDENTITY_LACKS_KEY',
		'replica identity full;',
	],
	[
		{ storage: [identity('default', ['id'])] },
		'warning',
		'IDENTITY_KEY_ONLY',
		'replica identity full;',
	],
])('table facts %j give the %s %s', (table, severity, code, fix) => {
	expect(brief(withTable(table))).toEqual([[severity, code, expect.stringContaining(fix)]]);
});

test('a key of old rows is not enough when whole ones are asked for', () => {
	const storage = [identity('default', ['id'])];
	expect(withTable({ storage }, { requireFull: true })).toMatchObject([
		{ severity: 'error', code: 'IDENTITY_KEY_ONLY' },
	]);
});

test('old rows of partitions are sent by the identity of the partitioned table', () => {
	const root = identity('default', ['id'], 'customers');
	const storage = [{ ...customers.storage[0]!, table: 'customers_2024' }];
	expect(withTable({ kind: 'p', storage, root })).toMatchObject([
		{ severity: 'warning', code: 'IDENTITY_KEY_ONLY', fix: 'alter table "public"."customers" replica identity full;' },
	]);
	expect(withTable({ kind: 'p', storage, root: { ...root, identityColumns: [] } })).toMatchObject([
		{ severity: 'error', code: 'IDENTITY_LACKS_KEY', fix: 'alter table "public"."customers" replica identity full;' },
	]);
	expect(withTable({ kind: 'p', storage, root: customers.storage[0]! })).toEqual([]);
});

test('a generated column that the publication carries may be named', () => {
	const columns = customers.columns.map((column) => ({ ...column, isGenerated: column.name === 'name' }));
	const codes = (published: readonly string[]) => {
		const tables = [{ schema: 'public', table: 'customers', columns: published, rowFilter: null }];
		const publication = { name: 'bisync', allTables: false, missingOperations: [], viaRoot: true, mayAlter: true, tables };
		return judge({ ...facts, publication, tables: [{ ...customers, columns }] }, request).map(({ code }) => code);
	};
	expect(codes(['id', 'name'])).not.toContain('COLUMN_GENERATED');
	expect(codes(['id'])).toContain('COLUMN_GENERATED');
});

test('each partition needs a replica identity of its own', () => {
	const storage = [
		customers.storage[0]!,
		identity('nothing', [], 'customers_2024'),
		identity('nothing', [], 'customers_2025'),
	];
	expect(withTable({ kind: 'p', storage })).toMatchObject([
		{
			code: 'IDENTITY_NOTHING',
			fix: 'alter table "public"."customers_2024" replica identity full; alter table "public"."customers_2025" replica identity full;',
		},
	]);
});

describe('the publication', () => {
	const published = { schema: 'public', table: 'customers', columns: null, rowFilter: null };
	const publication = {
		name: 'bisync',
		allTables: false,
		missingOperations: [],
		viaRoot: true,
		mayAlter: true,
		tables: [published],
	};
	const slot = IDLE_SLOT;

	test('is no problem while it can still be made', () => {
		expect(judge({ ...facts, publication: { ...publication, tables: [] } }, request)).toEqual([]);
	});

	test('is one when the role may not make it', () => {
		const tables = [{ ...customers, isOwner: false }];
		expect(brief(judge({ ...facts, tables }, request))).toEqual([
			[
				'error',
				'PUBLICATION_MISSING',
				expect.stringMatching(/^create publication "bisync" for table .*; -- as the owner/),
			],
		]);
		const foreign = { ...publication, tables: [], mayAlter: false };
		expect(brief(judge({ ...facts, publication: foreign }, request))).toEqual([
			[
				'error',
				'PUBLICATION_INCOMPLETE',
				expect.stringMatching(/^alter publication "bisync" add table/),
			],
		]);
	});

	test('is one when the slot is older', () => {
		expect(brief(judge({ ...facts, slot }, request))).toEqual([
			['error', 'PUBLICATION_MISSING', expect.stringContaining('drop the slot')],
		]);
		expect(judge({ ...facts, slot, publication }, request)).toEqual([]);
	});

	test('is none for a table that is new in the policy, which joins it before its rows are read', () => {
		const empty = { ...publication, tables: [] };
		const tables = request.tables.map((table) => ({ ...table, isUnread: true }));
		expect(judge({ ...facts, slot, publication: empty }, { ...request, tables })).toEqual([]);
		const foreign = { ...empty, mayAlter: false };
		expect(brief(judge({ ...facts, slot, publication: foreign }, { ...request, tables }))).toEqual([
			['error', 'PUBLICATION_INCOMPLETE', expect.stringMatching(/^alter publication .* add table .*as the owner/)],
		]);
	});

	test('must not leave out columns, and had better not leave out rows', () => {
		const tables = [{ ...published, columns: ['id'], rowFilter: '(id > 1)' }];
		expect(brief(judge({ ...facts, publication: { ...publication, tables } }, request))).toEqual([
			['error', 'PUBLICATION_INCOMPLETE', expect.stringContaining('drop table')],
			['warning', 'PUBLICATION_FILTERS', expect.stringContaining('add table')],
		]);
	});

	test('cannot be asked to hold a table that is missing', () => {
		const problems = judge(
			{ ...facts, tables: [null], server: { ...facts.server, mayCreate: false } },
			request,
		);
		expect(problems.map(({ code }) => code)).toEqual(['TABLE_MISSING']);
	});

	test('a slot that is lost or at risk is reported', () => {
		expect(
			brief(judge({ ...facts, publication, slot: { ...slot, walStatus: 'lost' } }, request)),
		).toEqual([
			[
				'error',
				'SLOT_UNUSABLE',
				expect.stringContaining(`select pg_drop_replication_slot('bisync');`),
			],
		]);
		expect(
			brief(judge({ ...facts, publication, slot: { ...slot, walStatus: 'unreserved' } }, request)),
		).toEqual([
			['warning', 'SLOT_AT_RISK', expect.stringContaining(`max_slot_wal_keep_size = '98GB'`)],
		]);
	});
});

test('everything is reported at once, errors first', () => {
	const problems = judge(
		{
			...facts,
			server: { ...facts.server, walLevel: 'minimal', maxSlotWalKeepMb: -1 },
			tables: [null],
		},
		request,
	);
	expect(problems.map(({ code }) => code)).toEqual([
		'WAL_LEVEL',
		'TABLE_MISSING',
		'WAL_KEPT_WITHOUT_LIMIT',
	]);
});

describe('a generated column in a replica identity that is full, from Postgres 18 on,', () => {
	const generated = (isVirtual: boolean) => ({ name: 'label', isNullable: true, isGenerated: true, isVirtual, maySelect: true });
	const labelled = (isVirtual = false): TableFacts => ({ ...customers, columns: [...customers.columns, generated(isVirtual)] });
	const publication = (columns: string[]): PreflightFacts['publication'] => ({
		name: 'bisync',
		allTables: false,
		missingOperations: [],
		viaRoot: true,
		mayAlter: true,
		tables: [{ schema: 'public', table: 'customers', columns, rowFilter: null }],
	});
	const found = (more: Partial<PreflightFacts>) =>
		judge({ ...facts, server: { ...facts.server, versionNum: 180_004 }, tables: [labelled()], ...more }, request).map(({ code, fix }) => [code, fix]);
	const published = 'create publication "bisync" for table "public"."customers" with (publish_via_partition_root = true, publish_generated_columns = stored);';

	test('is said before the publication makes updates fail, which then is created with it', () => {
		expect(found({})).toEqual([['IDENTITY_UNPUBLISHED', published]]);
		const notOurs = { ...labelled(), isOwner: false };
		expect(found({ tables: [notOurs] })).toEqual([
			['PUBLICATION_MISSING', `${published} -- as the owner of the tables`],
			['IDENTITY_UNPUBLISHED', 'alter publication "bisync" set (publish_generated_columns = stored);'],
		]);
	});

	test('is to be published, if it is not', () => {
		expect(found({ publication: publication(['id', 'name']) })).toEqual([
			['IDENTITY_UNPUBLISHED', 'alter publication "bisync" set (publish_generated_columns = stored);'],
		]);
		expect(found({ publication: publication(['id', 'name', 'label']) })).toEqual([]);
	});

	test('cannot be published when it is virtual: then the identity is to leave it out', () => {
		const tables = [labelled(true)];
		const expected = [['IDENTITY_UNPUBLISHED', 'alter table "public"."customers" replica identity default;']];
		expect(found({ tables, publication: publication(['id', 'name']) })).toEqual(expected);
		expect(found({ tables })).toEqual(expected);
	});

	test('is nothing to earlier servers', () => {
		expect(found({ server: { ...facts.server, versionNum: 170_005 } })).toEqual([]);
	});
});
