import fc from 'fast-check';

import type { PgoutputMessage } from '../../src/postgres/pgoutput';
import { type Tuple, UNCHANGED } from '../../src/postgres/pgoutput-reader';

// Lengths around 127 and 128, and letters beyond ASCII: there the decoder takes different ways.
const columnText = fc.oneof(
	fc.string({ unit: 'grapheme' }),
	fc.string({ minLength: 120, maxLength: 140, unit: 'binary-ascii' }),
	fc.constantFrom('', 'ü', '\u{1f600}', 't\0f'),
	fc.constant(null),
	fc.constant(UNCHANGED),
);
const tuple: fc.Arbitrary<Tuple> = fc.array(columnText, { maxLength: 8 });
const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'));
const oid = fc.nat({ max: 0xffff_ffff });
const lsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const commitTsMs = fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 });
const old = fc.oneof(
	fc.constant({ old: null, oldIsKeyOnly: false }),
	fc.record({ old: tuple, oldIsKeyOnly: fc.boolean() }),
);
const column = fc.record({
	name,
	typeOid: oid,
	typeModifier: fc.integer({ min: -1, max: 100_000 }),
	isIdentity: fc.boolean(),
});

/** Every kind of message a server can send in protocol version 1. */
export const pgoutputMessage: fc.Arbitrary<PgoutputMessage> = fc.oneof(
	fc.record({ tag: fc.constant('begin' as const), commitLsn: lsn, commitTsMs, xid: oid }),
	fc.record({ tag: fc.constant('commit' as const), commitLsn: lsn, endLsn: lsn, commitTsMs }),
	fc.record({ tag: fc.constant('origin' as const), name }),
	fc.record({
		tag: fc.constant('relation' as const),
		oid,
		schema: name,
		name,
		replicaIdentity: fc.constantFrom(
			'default' as const,
			'nothing' as const,
			'full' as const,
			'index' as const,
		),
		columns: fc.array(column, { maxLength: 8 }),
	}),
	fc.record({ tag: fc.constant('type' as const), oid, schema: name, name }),
	fc.record({
		tag: fc.constant('insert' as const),
		relationOid: oid,
		old: fc.constant(null),
		oldIsKeyOnly: fc.constant(false),
		new: tuple,
	}),
	fc
		.record({ tag: fc.constant('update' as const), relationOid: oid, new: tuple, old })
		.map(({ old: before, ...rest }) => ({ ...rest, ...before })),
	fc.record({
		tag: fc.constant('delete' as const),
		relationOid: oid,
		old: tuple,
		oldIsKeyOnly: fc.boolean(),
		new: fc.constant(null),
	}),
	fc.record({
		tag: fc.constant('truncate' as const),
		cascade: fc.boolean(),
		restartIdentity: fc.boolean(),
		relationOids: fc.array(oid, { maxLength: 5 }),
	}),
	fc.record({
		tag: fc.constant('message' as const),
		transactional: fc.boolean(),
		lsn,
		prefix: name,
		content: fc.string({ unit: 'grapheme' }),
	}),
);
