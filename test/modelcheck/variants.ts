import type { Row } from '../../src/core/mapping';
import type { FieldRules } from '../support/simulated-policy';
import type { Statement } from '../support/simulated-users';
import { notes, set, setupOf, type Setup, type SetupOptions } from './setup';

const PREFER_BILLING: FieldRules = { note: { owner: 'shared', resolve: 'prefer(billing)' } };
const REVIEW: FieldRules = { note: { owner: 'shared', resolve: 'review' } };
const OWNED: FieldRules = { note: { owner: 'crm' } };
const IGNORED: FieldRules = { note: { owner: 'crm', onForeignEdit: 'ignore' } };
const ASKED: FieldRules = { note: { owner: 'crm', onForeignEdit: 'review' } };
const shared = (resolve: string): FieldRules => ({ note: { owner: 'shared', resolve } });
const NUMBER = [{ ref: 'r1', note: '10' }];
const LIST = [{ ref: 'r1', note: ['x', 'y'] }];
const add = (by: number): Statement[] => [{ do: 'add', record: 'r1', field: 'note', by }];
const TWO_FIELDS: SetupOptions = {
	fields: {
		note: { owner: 'shared', resolve: 'prefer(crm)' },
		tag: { owner: 'shared', resolve: 'prefer(billing)' },
	},
	records: [{ ref: 'r1', note: 'x0', tag: 'y0' }],
	scripts: { crm: [set({ note: 'a1', tag: 'h1' })], billing: [set({ tag: 'g1' })] },
};
const TWO_RECORDS = [
	{ ref: 'r1', note: 'x0' },
	{ ref: 'r2', note: 'x0' },
];
const BOTH_RECORDS = [...set({ note: 'a1' }), ...set({ note: 'a2' }, 'r2')];

const insert = (note: string): Statement[] => [{ do: 'insert', fields: { ref: 'r1', note } }];
const remove: Statement[] = [{ do: 'delete', record: 'r1' }];

const textOf = ({ note }: Row): string | null => (typeof note === 'string' ? note : null);
/** A BEFORE trigger that writes its own version of every value. */
const upperCase = { trigger: (row: Row): Row => ({ ...row, note: textOf(row)?.toUpperCase() ?? null }) };
/** Two of these never agree. */
const appends = (mark: string) => ({
	trigger: (row: Row): Row => {
		const note = textOf(row);
		return note === null || note === 'x0' || note.endsWith(mark) ? row : { ...row, note: note + mark };
	},
});
const refusesA1 = { refuses: ({ note }: Row) => (note === 'a1' ? 'violates check constraint' : null) };
/** A row trigger that returns null for our updates. */
const blocked = { blocks: () => true };

const A = notes('a1');
const AA = notes('a1', 'a2');
const B = notes('b1');
const BB = notes('b1', 'b2');
const NET_ZERO = notes('b1', 'x0');
const REDELIVERY = { faults: 1, kinds: ['crash'] } as const;
const ZOMBIE = { kinds: ['crash', 'zombie', 'target-down', 'foreign-node'] } as const;

const setups = (table: Readonly<Record<string, SetupOptions>>): Setup[] =>
	Object.entries(table).map(([name, options]) => setupOf(name, options));

/** The protocol as built. Each must come to rest from everywhere, with every invariant kept. */
export const GOOD: readonly Setup[] = setups({
	'a1': { scripts: { crm: A } },
	'a1,a2 · 1 fault, zombie': { scripts: { crm: AA }, faults: 1, ...ZOMBIE },
	'a1|b1 · batch 1': { scripts: { crm: A, billing: B }, batch: 1 },
	'a1|b1 · batch 3, 1 crash': { scripts: { crm: A, billing: B }, batch: 3, ...REDELIVERY },
	'a1|b1 · batch 3, 2 faults': { scripts: { crm: A, billing: B }, batch: 3, faults: 2 },
	'a1|b1 · 1 fault, zombie': { scripts: { crm: A, billing: B }, faults: 1, ...ZOMBIE },
	'a1,a2|b1 · batch 3, 1 fault': { scripts: { crm: AA, billing: B }, batch: 3, faults: 1 },
	'a1,a2|b1,b2': { scripts: { crm: AA, billing: BB } },
	'a1|b1,x0 · 1 fault': { scripts: { crm: A, billing: NET_ZERO }, faults: 1 },
	'a1,x0|b1': { scripts: { crm: notes('a1', 'x0'), billing: B } },
	'same value on both sides': { scripts: { crm: notes('v'), billing: notes('v') }, faults: 1 },
	'prefer(billing) a1,a2|b1 · 1 fault': { fields: PREFER_BILLING, scripts: { crm: AA, billing: B }, faults: 1 },
	'prefer(billing) a1|b1,x0': { fields: PREFER_BILLING, scripts: { crm: A, billing: NET_ZERO } },
	'owner, revert a1,a2|b1,b2': { fields: OWNED, scripts: { crm: AA, billing: BB } },
	'owner, ignore a1,a2|b1,b2': { fields: IGNORED, scripts: { crm: AA, billing: BB } },
	'owner, review a1|b1,b2': {
		fields: ASKED,
		scripts: { crm: A, billing: BB },
		human: [{ kind: 'apply', system: 'crm' }],
	},
	'review a1,a2|b1 · take billing': {
		fields: REVIEW,
		scripts: { crm: AA, billing: B },
		human: [{ kind: 'apply', system: 'billing' }],
	},
	'review a1|b1 · take crm, 1 fault': {
		fields: REVIEW,
		scripts: { crm: A, billing: B },
		human: [{ kind: 'apply', system: 'crm' }],
		faults: 1,
	},
	'review a1,a2|b1,b2 · dismiss': { fields: REVIEW, scripts: { crm: AA, billing: BB }, human: [{ kind: 'dismiss' }] },
	'review a1|b1,x0 · retry, take crm': {
		fields: REVIEW,
		scripts: { crm: A, billing: NET_ZERO },
		human: [{ kind: 'retry' }, { kind: 'apply', system: 'crm' }],
	},
	'2 fields': TWO_FIELDS,
	'2 fields · 1 fault': { ...TWO_FIELDS, faults: 1 },
	'target trigger a1|b1': { scripts: { crm: A, billing: B }, rules: { billing: upperCase } },
	'target trigger, owner a1,a2 · take crm': {
		fields: OWNED,
		scripts: { crm: AA },
		rules: { billing: upperCase },
		human: [{ kind: 'apply', system: 'crm' }],
	},
	'two triggers that fight': { scripts: { crm: A }, rules: { billing: appends('!'), crm: appends('?') } },
	'CHECK a1,a2|b1 · retry': {
		scripts: { crm: AA, billing: B },
		rules: { billing: refusesA1 },
		human: [{ kind: 'retry' }],
	},
	'blocked rows a1,a2|b1': { scripts: { crm: AA, billing: B }, rules: { billing: blocked } },
	'blocked rows, 2 fields': { ...TWO_FIELDS, rules: { billing: blocked } },
	'our rows left out of the stream · retry': {
		scripts: { crm: AA },
		rules: { billing: { hidesOurRows: true } },
		human: [{ kind: 'retry' }, { kind: 'retry' }],
	},
	'our new row left out of the stream · retry': {
		records: [],
		scripts: { crm: [insert('a1')], billing: B },
		rules: { billing: { hidesOurRows: true } },
		human: [{ kind: 'retry' }],
	},
	'2 links, commits lost': {
		records: TWO_RECORDS,
		scripts: { crm: [BOTH_RECORDS], billing: [set({ note: 'b2' }, 'r2')] },
		batch: 3,
		faults: 1,
		kinds: ['contention'],
	},
	'2 links, commits lost, crash': {
		records: TWO_RECORDS,
		scripts: { crm: [BOTH_RECORDS, set({ note: 'a3' }, 'r2')] },
		batch: 3,
		faults: 2,
		kinds: ['contention', 'crash'],
	},
	'insert': { records: [], scripts: { crm: [insert('a1'), set({ note: 'a2' })] }, faults: 1 },
	'insert|insert': { records: [], scripts: { crm: [insert('a1')], billing: [insert('b1')] }, faults: 1 },
	'insert|insert, nothing unique': {
		records: [],
		scripts: { crm: [insert('a1')], billing: [insert('b1')] },
		rules: { crm: { unique: [] }, billing: { unique: [] } },
		human: [{ kind: 'dismiss' }],
	},
	'insert,delete': { records: [], scripts: { crm: [insert('a1'), remove] }, faults: 1 },
	'insert,delete,insert|b1': {
		records: [],
		scripts: { crm: [insert('a1'), remove, insert('a2')], billing: B },
	},
	'delete|b1 · take crm': {
		scripts: { crm: [remove], billing: B },
		human: [{ kind: 'apply', system: 'crm' }],
		faults: 1,
	},
	'delete|b1 · take billing': {
		scripts: { crm: [remove], billing: B },
		human: [{ kind: 'apply', system: 'billing' }],
	},
	'delete|b1 · dismiss': { scripts: { crm: [remove], billing: B }, human: [{ kind: 'dismiss' }] },
	'delete,insert|b1 · take crm': {
		scripts: { crm: [remove, insert('a2')], billing: B },
		human: [{ kind: 'apply', system: 'crm' }],
	},
	'owner deletes|b1,b2': { fields: OWNED, scripts: { crm: [remove], billing: BB }, faults: 1 },
	'owner deletes|b1 · update-wins, 1 fault': { fields: OWNED, deletes: 'update-wins', scripts: { crm: [remove], billing: B }, faults: 1 },
	'owner, ignore a1,delete|b1': { fields: IGNORED, scripts: { crm: [...A, remove], billing: B } },
	'owner deletes and inserts|b1': { fields: OWNED, scripts: { crm: [remove, insert('a2')], billing: B } },
	'owner a1|delete · take crm': { fields: OWNED, scripts: { crm: A, billing: [remove] }, human: [{ kind: 'apply', system: 'crm' }] },
	'delete|delete': { scripts: { crm: [remove], billing: [remove] }, faults: 1 },
	'delete · 2 faults, zombie': { scripts: { crm: [remove] }, faults: 2, ...ZOMBIE },
	'delete|b1 · update-wins, 1 fault': { deletes: 'update-wins', scripts: { crm: [remove], billing: B }, faults: 1 },
	'delete|b1,b2 · update-wins': { deletes: 'update-wins', scripts: { crm: [remove], billing: BB } },
	'delete|b1 · delete-wins, 1 fault, zombie': {
		deletes: 'delete-wins',
		scripts: { crm: [remove], billing: B },
		faults: 1,
		...ZOMBIE,
	},
	'delete|b1,b2 · delete-wins': { deletes: 'delete-wins', scripts: { crm: [remove], billing: BB } },
	'a1,delete|b1 · update-wins': { deletes: 'update-wins', scripts: { crm: [...A, remove], billing: B } },
	'a1,delete|b1 · delete-wins': { deletes: 'delete-wins', scripts: { crm: [...A, remove], billing: B } },
	'delete,insert · 1 fault': { scripts: { crm: [remove, insert('a2')] }, faults: 1 },
	'delete,insert|b1 · update-wins': { deletes: 'update-wins', scripts: { crm: [remove, insert('a2')], billing: B } },
	'delete,insert|b1 · delete-wins': { deletes: 'delete-wins', scripts: { crm: [remove, insert('a2')], billing: B } },
	'delete|insert after it · delete-wins': {
		deletes: 'delete-wins',
		scripts: { crm: [remove], billing: [remove, insert('b2')] },
	},
	'insert|insert, commits lost, zombie': {
		records: [],
		scripts: { crm: [insert('a1')], billing: [insert('b1')] },
		faults: 1,
		kinds: ['contention', 'zombie', 'crash'],
	},
	'insert,delete|insert · delete-wins': {
		records: [],
		deletes: 'delete-wins',
		scripts: { crm: [insert('a1'), remove], billing: [insert('b1')] },
	},
	'max a1,a2|b1 · 1 fault': { fields: shared('max'), scripts: { crm: AA, billing: B }, faults: 1 },
	'longest a1|b1,b22': { fields: shared('longest'), scripts: { crm: A, billing: notes('b1', 'b22') } },
	'latest a1,a2|b1': { fields: shared('latest'), scripts: { crm: AA, billing: B }, human: [{ kind: 'apply', system: 'crm' }] },
	'delta +1|-2 · 1 fault, zombie': {
		fields: shared('delta'),
		records: NUMBER,
		scripts: { crm: [add(1)], billing: [add(-2)] },
		faults: 1,
		...ZOMBIE,
	},
	'delta +1,+2|-1': { fields: shared('delta'), records: NUMBER, scripts: { crm: [add(1), add(2)], billing: [add(-1)] } },
	'delta +1|+1,-1': { fields: shared('delta'), records: NUMBER, scripts: { crm: [add(1)], billing: [add(1), add(-1)] } },
	'union -y|+z · 1 fault': {
		fields: shared('union'),
		records: LIST,
		scripts: { crm: notes(['x']), billing: notes(['x', 'y', 'z']) },
		faults: 1,
	},
	'3 systems delete|b1 · delete-wins': {
		systems: ['crm', 'billing', 'shop'],
		deletes: 'delete-wins',
		scripts: { crm: [remove], billing: B },
	},
	'3 systems a1|b1': { systems: ['crm', 'billing', 'shop'], scripts: { crm: A, billing: B } },
});

/** The same, further out: minutes each. */
export const DEEP: readonly Setup[] = setups({
	'a1|b1 · batch 3, 2 faults, zombie': { scripts: { crm: A, billing: B }, batch: 3, faults: 2, ...ZOMBIE },
	'a1,a2|b1 · batch 3, 1 fault, zombie': { scripts: { crm: AA, billing: B }, batch: 3, faults: 1, ...ZOMBIE },
	'a1,a2|b1,b2 · batch 3, 1 fault': { scripts: { crm: AA, billing: BB }, batch: 3, faults: 1 },
	'a1,x0|b1,x0 · 1 fault': { scripts: { crm: notes('a1', 'x0'), billing: NET_ZERO }, faults: 1 },
	'target trigger a1,a2|b1': { scripts: { crm: AA, billing: B }, rules: { billing: upperCase } },
	'review a1,a2|b1 · take billing, 1 fault': {
		fields: REVIEW,
		scripts: { crm: AA, billing: B },
		human: [{ kind: 'apply', system: 'billing' }],
		faults: 1,
	},
	'2 fields · batch 3, 2 faults': { ...TWO_FIELDS, batch: 3, faults: 2 },
	'2 fields · f=a1,a2 | both': {
		...TWO_FIELDS,
		scripts: { crm: [set({ note: 'a1' }), set({ note: 'a2' })], billing: [set({ note: 'b1', tag: 'g1' })] },
		faults: 1,
	},
	'review a1,a2|b1,b2 · dismiss, take crm, 1 fault': {
		fields: REVIEW,
		scripts: { crm: AA, billing: BB },
		human: [{ kind: 'dismiss' }, { kind: 'apply', system: 'crm' }],
		faults: 1,
	},
	'delete,insert|b1 · take crm, 1 fault': {
		scripts: { crm: [remove, insert('a2')], billing: B },
		human: [{ kind: 'apply', system: 'crm' }],
		faults: 1,
	},
	'2 links, commits lost, crash, zombie': {
		records: TWO_RECORDS,
		scripts: { crm: [BOTH_RECORDS], billing: [set({ note: 'b2' }, 'r2')] },
		batch: 3,
		faults: 2,
		kinds: ['contention', 'crash', 'zombie'],
	},
	'3 systems a1|b1|c1': {
		systems: ['crm', 'billing', 'shop'],
		scripts: { crm: A, billing: B, shop: notes('c1') },
	},
});

/** Ways to build it wrong, each with the smallest world known to show it. */
export const FAULTY: readonly Setup[] = setups({
	'no compare-and-set': { scripts: { crm: A, billing: B }, defects: { noCompareAndSet: true } },
	'operation ids not single-use': {
		scripts: { crm: A, billing: NET_ZERO },
		faults: 1,
		kinds: ['crash'],
		defects: { reusableOperations: true },
	},
	'echoes dropped by the trigger': { scripts: { crm: A }, defects: { echoesDropped: true } },
	'acknowledged when the execution succeeds': {
		scripts: { crm: A },
		faults: 1,
		kinds: ['foreign-node'],
		defects: { acknowledgeBySuccess: true },
	},
	'Merge silent about unsettled operations': {
		scripts: { crm: A },
		faults: 1,
		kinds: ['crash'],
		defects: { silentMerge: true },
	},
	'Echo unwired, Due flows on off': { scripts: { crm: AA }, defects: { echoUnwired: true, noSweep: true } },
	'no sweep': { scripts: { crm: A }, faults: 1, kinds: ['target-down'], defects: { noSweep: true } },
	'views raised while an operation is in flight': {
		scripts: { crm: notes('a1', 'x0'), billing: B },
		defects: { raisesWhileInFlight: true },
	},
});
