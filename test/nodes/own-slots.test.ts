import { judgeSlot, type Known, ownerOf } from '../../nodes/SyncRecord/own-slots';
import type { SlotState } from '../../src/postgres/slot';
import { POLLED, type StreamRecord } from '../../src/store/stream-record';
import { IDLE_SLOT } from '../support/idle-slot';

const HOUR_MS = 3_600_000;
const NOW_MS = 1_000 * HOUR_MS;

const slot: SlotState = { ...IDLE_SLOT, name: 'bisync_shop_crm', inactiveSinceMs: NOW_MS - 200 * HOUR_MS };
const record = { policy: 'shop', system: 'crm', slot: 'bisync_shop_crm', systemId: '7' } as StreamRecord;
const known: Known = { policy: 'shop', systems: ['crm', 'billing'], streams: { crm: record }, systemId: '7' };

describe('whose a slot is', () => {
	test('follows from the registered stream, on that server alone', () => {
		expect(ownerOf(slot, known)).toEqual({ kind: 'stream', stream: { policy: 'shop', system: 'crm' } });
		expect(ownerOf(slot, { ...known, systemId: '8' })).toEqual({ kind: 'other' });
		expect(ownerOf({ ...slot, name: 'n8n_changes' }, known)).toEqual({ kind: 'other' });
		expect(ownerOf({ ...slot, isTemporary: true }, known)).toEqual({ kind: 'momentary' });
	});

	test('a slot that a stream has left behind is known by its name; one whose stream was never read is nobody’s', () => {
		const streams = { crm: { ...record, slot: POLLED } };
		expect(ownerOf(slot, { ...known, streams })).toEqual({ kind: 'left', stream: { policy: 'shop', system: 'crm' } });
		expect(ownerOf({ ...slot, name: 'bisync_shop_billing' }, known)).toEqual({ kind: 'other' });
	});
});

describe('a slot', () => {
	const stream = ownerOf(slot, known);
	const rules = { names: [], unusedMs: 168 * HOUR_MS, nowMs: NOW_MS, database: 'crm', isStandby: false };

	test('of the policy goes when it has been unused for so long', () => {
		expect(judgeSlot(slot, stream, rules)).toEqual({ drops: true, reason: 'Nobody has read from it for 8 days' });
		expect(judgeSlot(slot, stream, { ...rules, unusedMs: 201 * HOUR_MS })).toEqual({ drops: false, reason: 'Nobody has read from it for 8 days, less than 8 days' });
		expect(judgeSlot({ ...slot, inactiveSinceMs: NOW_MS - HOUR_MS }, stream, rules)).toEqual({ drops: false, reason: 'Nobody has read from it for 1 h, less than 7 days' });
	});

	test('of which the server does not say since when it is unused stays, unless it is named', () => {
		const silent = { ...slot, inactiveSinceMs: null };
		expect(judgeSlot(silent, stream, rules)).toMatchObject({ drops: false, reason: expect.stringContaining('Postgres 17') });
		expect(judgeSlot(silent, stream, { ...rules, names: [slot.name] })).toMatchObject({ drops: true });
	});

	test('of somebody else is not in question, unless it is named', () => {
		expect(judgeSlot(slot, { kind: 'other' }, rules)).toBeNull();
		expect(judgeSlot(slot, { kind: 'momentary' }, rules)).toBeNull();
		expect(judgeSlot(slot, { kind: 'other' }, { ...rules, names: [slot.name] })).toMatchObject({ drops: true });
		expect(judgeSlot(slot, stream, { ...rules, names: ['another'] })).toBeNull();
	});

	test.each<[string, Partial<SlotState>, RegExp]>([
		['is being read', { activePid: 77, activeApplication: 'n8n' }, /being read by process 77 \(n8n\)/],
		['ends by itself', { isTemporary: true }, /ends with the session/],
		['may be a standby’s', { plugin: null, database: null }, /physical/],
		['is of another plugin', { plugin: 'wal2json' }, /one of wal2json/],
		['is of another database', { database: 'erp' }, /database "erp"/],
	])('that %s stays, even when it is named', (_, more, reason) => {
		expect(judgeSlot({ ...slot, ...more }, { kind: 'other' }, { ...rules, names: [slot.name] })).toEqual({ drops: false, reason: expect.stringMatching(reason) });
	});

	test('that a standby has copied stays there; where a standby has taken over, it is its own', () => {
		const copy = { ...slot, isSynced: true };
		expect(judgeSlot(copy, stream, { ...rules, isStandby: true })).toMatchObject({ drops: false, reason: expect.stringContaining('copy') });
		expect(judgeSlot(copy, stream, rules)).toMatchObject({ drops: true });
	});
});
