import { judgeTables, type TablesFacts, type TablesRecord, unread } from '../../../nodes/PostgresCdcTrigger/tables-start';
import type { SlotState } from '../../../src/postgres/slot';

const slot = { name: 's', plugin: 'pgoutput', database: 'crm', walStatus: 'reserved', invalidationReason: null, confirmedLsn: 100n } as SlotState;
const record: TablesRecord = { slot: 's', systemId: '7', timeline: 1, hasSlot: true, reading: null };
const half = { ...unread('public.a'), rows: 10, after: ['10'] };
const facts: TablesFacts = { record, slot, server: { systemId: '7', timeline: 1 }, slotName: 's', database: 'crm', rows: 'initial', tables: ['public.a'], acknowledgedLsn: null };
const judged = (more: Partial<TablesFacts>) => judgeTables({ ...facts, ...more });
const refused = (more: Partial<TablesFacts>) => {
	const start = judged(more);
	return start.kind === 'refuse' ? [start.error.code, start.error.message] : start.kind;
};

test('at first a slot is made, and all rows are read unless they are not wanted', () => {
	const first = { record: null, slot: null };
	expect(judged(first)).toEqual({ kind: 'begin', staleSlot: null, reading: [unread('public.a')] });
	expect(judged({ ...first, rows: 'never' })).toEqual({ kind: 'begin', staleSlot: null, reading: null });
});

test('reading goes on where it was, with tables that were added since, and with rows that were not wanted before', () => {
	expect(judged({ record: { ...record, reading: [half] }, tables: ['public.a', 'public.b'] })).toEqual({ kind: 'resume', reading: [half, unread('public.b')] });
	expect(judged({})).toEqual({ kind: 'resume', reading: [unread('public.a')] });
	expect(judged({ rows: 'never', record: { ...record, reading: [half] } })).toEqual({ kind: 'resume', reading: null });
});

test('a kill before the slot was made, or a slot of which nothing is known, is no gap', () => {
	expect(judged({ slot: null, record: { ...record, hasSlot: false } })).toMatchObject({ kind: 'begin' });
	expect(judged({ record: null })).toEqual({ kind: 'resume', reading: [unread('public.a')] });
});

const GAPS: [string, Partial<TablesFacts>, [string, RegExp], object][] = [
	['that is gone', { slot: null }, ['SLOT_MISSING', /no replication slot "s" any more/], { kind: 'begin', staleSlot: null }],
	['that is lost', { slot: { ...slot, walStatus: 'lost' } }, ['SLOT_LOST', /lost its place/], { kind: 'begin', staleSlot: 's' }],
	['that somebody else moved', { acknowledgedLsn: 99n }, ['SLOT_MISSING', /stands at 0\/64, after 0\/63/], { kind: 'resume' }],
	['of another server, which has none', { slot: null, server: { systemId: '8', timeline: 1 } }, ['SLOT_MISSING', /Another server \(8 instead of 7\)/], { kind: 'begin', staleSlot: null }],
];

test.each(GAPS)('a slot %s stops the trigger, and when needed all is read anew', (_, found, [code, message], whenNeeded) => {
	for (const rows of ['initial', 'never'] as const) expect(refused({ ...found, rows })).toEqual([code, expect.stringMatching(message)]);
	const reading = [unread('public.a')];
	expect(judged({ ...found, rows: 'whenNeeded', record: { ...record, reading: [half] } })).toEqual({ ...whenNeeded, reading });
});

test('a slot that may be somebody else’s is never taken', () => {
	const other = { server: { systemId: '8', timeline: 1 } };
	for (const rows of ['initial', 'never', 'whenNeeded'] as const) {
		expect(refused({ ...other, rows })).toEqual(['SLOT_MISSING', expect.stringContaining('Another server')]);
		expect(refused({ slot: { ...slot, plugin: 'wal2json' }, rows })).toEqual(['SLOT_UNUSABLE', expect.any(String)]);
		expect(refused({ slot: { ...slot, database: 'erp' }, rows })).toEqual(['SLOT_UNUSABLE', expect.any(String)]);
	}
});

test('a standby that took over with the slot goes on with it', () => {
	expect(judged({ server: { systemId: '7', timeline: 2 }, rows: 'never' })).toEqual({ kind: 'resume', reading: null });
});

test('where the slot stands as it was left, or earlier, nothing is missing', () => {
	expect(judged({ acknowledgedLsn: 100n, rows: 'never' })).toEqual({ kind: 'resume', reading: null });
	expect(judged({ acknowledgedLsn: 200n, rows: 'never' })).toEqual({ kind: 'resume', reading: null });
});
