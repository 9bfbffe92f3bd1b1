import { parseChangeEvent } from '../../src/core/change-event';
import { formatMarker, markerPrefix } from '../../src/core/marker';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { policyTables } from '../../src/postgres/event-tables';
import { type Tuple, UNCHANGED } from '../../src/postgres/pgoutput-reader';
import type { Relation, SourceChange } from '../../src/postgres/source-transaction';
import { transactionEvents } from '../support/transaction-events';
import { partsSample } from '../support/parts-policy';

const PREFIX = markerPrefix('store1', 'parts');
const ORIGIN: EventOrigin = {
	system: 'crm',
	database: 'crmdb',
	systemId: '7312',
	tables: policyTables(partsSample().policy, 'crm'),
	isMarker: (prefix) => prefix === PREFIX,
	markerSystem: 'crm',
};

function relation(name: string, columns: readonly string[], identity = columns): Relation {
	return {
		oid: name.length,
		schema: 'public',
		name,
		replicaIdentity: identity === columns ? 'full' : 'default',
		columns: columns.map((column) => ({ name: column, typeOid: 25, typeModifier: -1, isIdentity: identity.includes(column) })),
	};
}

const PARTNER = relation('partner', ['id', 'name']);
const ADDRESS = relation('partner_address', ['partner_id', 'city']);

let lsn = 0x100n;
function row(of: Relation, op: 'i' | 'u' | 'd' | 't', old: Tuple | null, next: Tuple | null): SourceChange {
	lsn += 8n;
	return { kind: 'row', op, relation: of, lsn, old, oldIsKeyOnly: of.replicaIdentity !== 'full', new: next };
}

function marker(id: string, link = 'l'): SourceChange {
	const claim = { op: `${link}:crm:1`, link, system: 'crm', entity: 'customer', outcome: 'applied' as const, key: { id }, error: undefined };
	return { kind: 'message', lsn: (lsn += 8n), prefix: PREFIX, content: formatMarker(claim, 'secret') };
}

const events = (...changes: SourceChange[]) =>
	transactionEvents({ xid: 1, origin: null, commitLsn: 0x1000n, endLsn: 0x1008n, commitTsMs: 0, changes }, ORIGIN);

test('a part’s row is an event of its record, its columns under the part’s name', () => {
	const [event] = events(row(ADDRESS, 'u', ['5', 'Ulm'], ['5', 'Bonn']));
	expect(parseChangeEvent(event)).toMatchObject({
		entity: 'customer',
		part: 'address',
		op: 'u',
		key: { id: '5' },
		before: { 'address.partner_id': '5', 'address.city': 'Ulm' },
		after: { 'address.partner_id': '5', 'address.city': 'Bonn' },
		source: { schema: 'public', table: 'partner_address' },
	});
});

test('a part that goes over to another record goes from one and comes to the other', () => {
	const found = events(row(ADDRESS, 'u', ['5', 'Ulm'], ['6', 'Ulm']));
	expect(found.map(({ op, key, after }) => [op, key['id'], after?.['address.city']])).toEqual([['d', '5', undefined], ['c', '6', 'Ulm']]);
	expect(new Set(found.map(({ changeId }) => changeId)).size).toBe(2);
});

test('a part’s row that belongs to no record is nobody’s', () => {
	expect(events(row(ADDRESS, 'i', null, [null, 'Ulm']), row(ADDRESS, 'd', [null, 'Ulm'], null))).toEqual([]);
	expect(events(row(ADDRESS, 'u', [null, 'Ulm'], ['5', 'Ulm'])).map(({ op }) => op)).toEqual(['c']);
	expect(events(row(ADDRESS, 'u', ['5', 'Ulm'], [null, 'Ulm'])).map(({ op }) => op)).toEqual(['d']);
});

test('a log that names a part’s old rows by other columns is refused, with what to do', () => {
	const byNumber = relation('partner_address', ['no', 'partner_id'], ['no']);
	expect(() => events(row(byNumber, 'd', ['1', null], null))).toThrow('run alter table "public"."partner_address" replica identity full');
});

test('an update that leaves the key’s old value out is of the same record', () => {
	const byKey = relation('partner_address', ['partner_id', 'city'], ['partner_id']);
	const [event] = events(row(byKey, 'u', null, ['5', UNCHANGED]));
	expect(event).toMatchObject({ op: 'u', key: { id: '5' }, before: null, unchanged: ['address.city'] });
});

test('truncating a part is told of its entity', () => {
	expect(events(row(ADDRESS, 't', null, null))).toMatchObject([{ op: 't', entity: 'customer', part: 'address' }]);
});

describe('a marker of a write that changed several rows', () => {
	const main = row(PARTNER, 'u', ['5', 'Ann'], ['5', 'Anna']);
	const part = row(ADDRESS, 'u', ['5', 'Ulm'], ['5', 'Bonn']);

	test.each([
		['goes with the main row', [main, part], [true, false]],
		['goes with the main row, though that came last', [part, main], [false, true]],
		['goes with the part where the main row did not change', [part], [true]],
	])('%s', (_, rows, marked) => {
		expect(events(...rows, marker('5')).map((event) => event.marker !== null)).toEqual(marked);
	});

	test('stays with its own record when the key is used again', () => {
		const found = events(
			row(PARTNER, 'd', ['5', 'Ann'], null),
			row(ADDRESS, 'd', ['5', 'Ulm'], null),
			row(PARTNER, 'i', null, ['5', 'Bob']),
			row(ADDRESS, 'i', null, ['5', 'Rom']),
			marker('5', 'a'),
			marker('5', 'b'),
		);
		expect(found.map((event) => event.marker?.link)).toEqual(['a', undefined, 'b', undefined]);
	});
});
