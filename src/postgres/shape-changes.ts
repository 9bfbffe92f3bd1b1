import type { RelationColumn } from './pgoutput';
import type { Relation, SourceTransaction } from './source-transaction';

/** What has become of the columns of a table since the stream showed it last. */
export interface ShapeChange {
	readonly schema: string;
	readonly table: string;
	readonly added: readonly string[];
	/** Dropped, or called otherwise. */
	readonly gone: readonly string[];
	/** Of another type, so that equal values may be printed otherwise. */
	readonly retyped: readonly string[];
}

/**
 * The tables that are of another shape in a transaction than the stream has shown before. A table that it shows for the
 * first time has no earlier shape, so after a restart nothing is said twice. Pure.
 */
export function shapeChanges({ changes }: Pick<SourceTransaction, 'changes'>): ShapeChange[] {
	const seen = new Set<number>();
	return changes.flatMap((change): ShapeChange[] => {
		if (change.kind !== 'relation' || seen.has(change.relation.oid)) return [];
		seen.add(change.relation.oid);
		const difference = change.previous && differenceOf(change.previous, change.relation);
		return difference ? [difference] : [];
	});
}

function differenceOf(before: Relation, { schema, name: table, columns }: Relation): ShapeChange | null {
	const earlier = new Map(before.columns.map((column) => [column.name, column]));
	const now = new Map(columns.map((column) => [column.name, column]));
	const added = [...now.keys()].filter((name) => !earlier.has(name));
	const gone = [...earlier.keys()].filter((name) => !now.has(name));
	const retyped = columns.filter((column) => isRetyped(earlier.get(column.name), column)).map(({ name }) => name);
	return added.length + gone.length + retyped.length === 0 ? null : { schema, table, added, gone, retyped };
}

const TEXT = 25;
const VARCHAR = 1043;
const VARBIT = 1562;
/** Of these the modifier is a limit, which changes no value that there is. */
const LIMITED: ReadonlySet<number> = new Set([VARCHAR, VARBIT]);

function isRetyped(before: RelationColumn | undefined, now: RelationColumn): boolean {
	if (before === undefined) return false;
	const [from, to] = [before.typeOid, now.typeOid].map((oid) => (oid === VARCHAR ? TEXT : oid));
	if (from !== to) return true;
	return before.typeModifier !== now.typeModifier && to !== TEXT && !LIMITED.has(now.typeOid);
}

/** "column a is gone, column b has another type" */
export function shapeInWords({ schema, table, added, gone, retyped }: ShapeChange): string {
	const facts = [
		...gone.map((column) => `column ${column} is gone`),
		...retyped.map((column) => `column ${column} has another type`),
		...added.map((column) => `column ${column} is new`),
	];
	return `${schema}.${table} has changed: ${facts.join(', ')}`;
}
