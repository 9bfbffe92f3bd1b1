import {
	beginning,
	judgePolledStart,
	judgeStart,
	NOTHING_READ,
	type StartFacts,
} from '../../../nodes/PostgresCdcTrigger/registration';
import { POLLED } from '../../../src/store/stream-record';
import { inLineage, positionOf, STREAM_START } from '../../../src/core/position';
import { formatLsn } from '../../../src/core/lsn';
import type { SlotState, SystemIdentity } from '../../../src/postgres/slot';
import type { StreamRecord } from '../../../src/store/stream-record';
import { IDLE_SLOT } from '../../support/idle-slot';

const RECORD: StreamRecord = {
	policy: 'crm-billing',
	system: 'crm',
	slot: 'bisync_crm',
	systemId: '7312',
	timeline: 1,
	filterHash: 'a.b',
	start: positionOf(0x100n, 0),
	snapshot: 'done',
	position: positionOf(0x180n, 3),
	acknowledgedLsn: '0/200',
	reading: null,
	columns: null,
};

const SLOT: SlotState = { ...IDLE_SLOT, name: 'bisync_crm', database: 'crmdb', restartLsn: 0x100n, confirmedLsn: 0x200n };

const FACTS: StartFacts = {
	record: RECORD,
	slot: SLOT,
	server: { systemId: '7312', timeline: 1, walLsn: 0x300n },
	slotName: 'bisync_crm',
	database: 'crmdb',
};

const judged = (facts: Partial<StartFacts>) => judgeStart({ ...FACTS, ...facts });
const record = (changes: Partial<StreamRecord>) => ({ record: { ...RECORD, ...changes } });
const slot = (changes: Partial<SlotState>) => ({ slot: { ...SLOT, ...changes } });

test('a stream that was never read begins', () => {
	expect(judged({ record: null, slot: null })).toEqual({ kind: 'begin', staleSlot: null, lineage: 0, restoredTo: null });
});

test('a slot of that name of which the store knows nothing says that the store has lost its memory', () => {
	expect(judged({ record: null })).toMatchObject({ kind: 'gap', what: expect.stringContaining('lost its memory') as string, restoredTo: null });
});

test('a beginning that was cut short goes on where it stood', () => {
	expect(judged(record({ snapshot: 'running', filterHash: NOTHING_READ }))).toEqual({ kind: 'resume' });
});

test('a beginning that was cut short and has lost its slot is begun again', () => {
	const begun = record({ snapshot: 'running', filterHash: NOTHING_READ });
	expect(judged({ ...begun, slot: null })).toEqual({ kind: 'begin', staleSlot: null, lineage: 0, restoredTo: null });
	expect(judged({ ...begun, ...slot({ walStatus: 'lost' }) })).toEqual({
		kind: 'begin',
		staleSlot: 'bisync_crm',
		lineage: 0,
		restoredTo: null,
	});
});

test('a slot that is lost while only the rows of a new table are read is a gap', () => {
	expect(judged({ ...record({ snapshot: 'running' }), slot: null })).toMatchObject({ kind: 'gap' });
});

test('a slot that stands where the store left it, or before, goes on', () => {
	expect(judged({})).toEqual({ kind: 'resume' });
	expect(judged(slot({ confirmedLsn: 0x150n }))).toEqual({ kind: 'resume' });
});

const promotedAt = (end: bigint): SystemIdentity => ({ ...FACTS.server, timeline: 2, leftAt: new Map([[1, end]]) });

test('a standby that has taken over with everything that was observed, and with the slot, goes on', () => {
	expect(judged({ server: promotedAt(0x200n) })).toEqual({ kind: 'resume' });
	expect(judged({ server: promotedAt(0x200n), ...slot({ confirmedLsn: 0x150n }) })).toEqual({ kind: 'resume' });
	const twice = { ...FACTS.server, timeline: 3, leftAt: new Map([[1, 0x280n], [2, 0x290n]]) };
	expect(judged({ server: twice })).toEqual({ kind: 'resume' });
});

test.each<[string, Partial<StartFacts>, RegExp]>([
	['that lacks what was acknowledged', { server: promotedAt(0x1ffn) }, /Up to .*200 had been observed, and it has nothing of that from .*1FF on/],
	['that lacks a commit which begins where it took over', { server: promotedAt(0x180n), ...record({ acknowledgedLsn: '0/170' }), ...slot({ confirmedLsn: 0x170n }) }, /nothing of that from/],
	['without the slot', { server: promotedAt(0x200n), slot: null }, /no replication slot .*Failover Slot/],
	['with a slot that was made after it took over', { server: promotedAt(0x200n), ...slot({ confirmedLsn: 0x240n }) }, /somebody else/],
	['with a slot that could not be kept', { server: promotedAt(0x200n), ...slot({ invalidationReason: 'wal_removed' }) }, /lost its place/],
	['and came to its place another way', { server: { ...FACTS.server, timeline: 3, leftAt: new Map([[2, 0x200n]]) } }, /may be gone/],
])('one %s is a gap', (_, facts, what) => {
	expect(judged(facts)).toMatchObject({ kind: 'gap', what: expect.stringMatching(what) });
});

test('a slot that is being read is no gap: opening it waits', () => {
	expect(judged(slot({ activePid: 77 }))).toMatchObject({ kind: 'resume' });
});

test.each<[string, Partial<StartFacts>, RegExp]>([
	['the slot is gone', { slot: null }, /no replication slot/],
	['the slot is lost', slot({ walStatus: 'lost' }), /lost its place/],
	['the slot is of another database', slot({ database: 'other' }), /belongs to database/],
	['the slot is of another plugin', slot({ plugin: 'wal2json' }), /not pgoutput/],
	[
		'the slot stands one byte after what was acknowledged',
		slot({ confirmedLsn: 0x201n }),
		/somebody else/,
	],
	['another server answers', { server: { ...FACTS.server, systemId: '9' } }, /Another server/],
	['the timeline changed', { server: { ...FACTS.server, timeline: 2 } }, /timeline 1 to 2/],
	[
		'the log ends before what was acknowledged',
		{ server: { ...FACTS.server, walLsn: 0x1ffn } },
		/restored/,
	],
])('it is a gap when %s', (_, facts, what) => {
	expect(judged(facts)).toMatchObject({ kind: 'gap', what: expect.stringMatching(what) });
});

test('one gap has one token, whatever it looks like meanwhile; the next gap has another', () => {
	const tokenOf = (facts: Partial<StartFacts>) => {
		const decision = judged(facts);
		return decision.kind === 'gap' ? decision.token : null;
	};
	expect(tokenOf({ slot: null })).toBe(tokenOf(slot({ confirmedLsn: 0x999n })));
	expect(tokenOf({ slot: null })).not.toBe(
		tokenOf({ slot: null, ...record({ acknowledgedLsn: '0/210' }) }),
	);
});

test('another slot name in the settings is refused, naming both', () => {
	const decision = judged({ slotName: 'new_slot', slot: null });
	expect(decision).toMatchObject({ kind: 'refuse', error: { code: 'INVALID_SETTING' } });
	expect(decision).toMatchObject({
		error: { message: expect.stringMatching(/new_slot.*bisync_crm/) },
	});
});

test('after an agreement to a gap the stream begins anew', () => {
	const begun = { kind: 'begin', lineage: 0, restoredTo: null };
	expect(beginning({ ...FACTS, slot: null }, null)).toEqual({ ...begun, staleSlot: null });
	expect(beginning(FACTS, null)).toEqual({ ...begun, staleSlot: 'bisync_crm' });
});

test('in a log that ends before what was observed a new lineage begins, whose places come after all of the old one', () => {
	const rewound = { ...FACTS, server: { systemId: '9', timeline: 1, walLsn: 0x100n } };
	expect(beginning(rewound, STREAM_START)).toMatchObject({ kind: 'begin', lineage: 1, restoredTo: STREAM_START });
	expect(positionOf(0x10n, 0, 1) > RECORD.position).toBe(true);
	const last = { ...rewound, ...record({ position: positionOf(0x180n, 0, 255) }) };
	expect(beginning(last, null)).toMatchObject({ kind: 'refuse', error: { code: 'LOG_REWOUND' } });
});

test('an acknowledgement of an earlier lineage says nothing of this one', () => {
	const position = positionOf(0x50n, 0, 1);
	const again = record({ start: position, position });
	const server = { ...FACTS.server, walLsn: 0x60n };
	expect(judged({ ...again, server, ...slot({ confirmedLsn: 0x50n }) })).toEqual({ kind: 'resume' });
	const acknowledged = record({ start: position, position, acknowledgedLsn: formatLsn(inLineage(0x58n, 1)) });
	expect(judged({ ...acknowledged, server, ...slot({ confirmedLsn: 0x58n }) })).toEqual({ kind: 'resume' });
	expect(judged({ ...acknowledged, server, ...slot({ confirmedLsn: 0x59n }) })).toMatchObject({ kind: 'gap' });
});

test.each<[string, Partial<StartFacts>, string | null]>([
	['a slot that is gone says nothing of older rows', { slot: null }, null],
	['another server may be older in all', { server: { ...FACTS.server, systemId: '9' } }, STREAM_START],
	['so may one whose log ends before what was observed', { server: { ...FACTS.server, walLsn: 0x1ffn } }, STREAM_START],
	['and one that does not say where it left the timeline', { server: { ...FACTS.server, timeline: 2 } }, STREAM_START],
	['one that had heard of everything is not, and lacks the slot at most', { slot: null, server: promotedAt(0x200n) }, null],
	['one that had not, from there on', { server: { ...FACTS.server, timeline: 2, leftAt: new Map([[1, 0x1a0n]]) } }, positionOf(0x19fn, 0)],
])('%s', (_, facts, restoredTo) => {
	expect(judged(facts)).toMatchObject({ kind: 'gap', restoredTo });
});

const HORIZON = { table: 'public.customers', entity: 'customer', hash: '', phase: 'done', after: null, rows: 0, estimate: null, horizon: '700' } as const;
const POLLED_RECORD: StreamRecord = { ...RECORD, slot: POLLED, acknowledgedLsn: null, reading: [HORIZON] };
const judgedPolled = (facts: Partial<StartFacts>, next = 800n) => judgePolledStart({ ...FACTS, slot: null, record: POLLED_RECORD, ...facts }, next);

test('a stream that is polled begins, and goes on from where the last poll was, whatever has been written since', () => {
	expect(judgedPolled({ record: null })).toEqual({ kind: 'begin', staleSlot: null, lineage: 0, restoredTo: null });
	expect(judgedPolled({})).toEqual({ kind: 'resume' });
	expect(judgedPolled({}, 700n)).toEqual({ kind: 'resume' });
});

test.each<[string, Partial<StartFacts>, bigint]>([
	['another server', { server: { ...FACTS.server, systemId: '9999' } }, 800n],
	['another timeline', { server: { ...FACTS.server, timeline: 2 } }, 800n],
	['fewer transactions than at the last poll', {}, 699n],
])('%s may be an older copy, whose rows are nobody\'s edits: a person is asked about a polled system, too', (_, facts, next) => {
	expect(judgedPolled(facts, next)).toMatchObject({ kind: 'gap', restoredTo: STREAM_START });
});

test('a stream that was polled so far is read anew from the log, and a slot that is there already is asked about', () => {
	expect(judged({ record: POLLED_RECORD, slot: null })).toMatchObject({ kind: 'begin', staleSlot: null });
	expect(judged({ record: POLLED_RECORD })).toMatchObject({ kind: 'gap' });
});
