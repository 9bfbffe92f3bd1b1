import { canonicalJson, type Json } from './canonical-json';
import type { DeletePolicy, FieldPolicy, Scalar, SoftDelete } from './policy';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { deletesShape, massDeleteShape, scalar, softDeleteShape } from './policy-schema';
import { didYouMean, listOf } from './suggest';

/** More rows than this deleted at once wait for approval unless the policy says otherwise. */
const DEFAULT_MASS_DELETE = { rows: 50, percent: null };

interface DeletesContext {
	readonly problems: PolicyProblems;
	/** Ends with the entity's name. */
	readonly path: PolicyPath;
	/** Those that have a table of the entity. */
	readonly systems: readonly string[];
	readonly fields: ReadonlyMap<string, FieldPolicy>;
}

/** Whether a column's value says that its row is deleted; false from one server is "f" from another. */
export function saysDeleted({ deleted }: SoftDelete, value: Json): boolean {
	return plainText(value) === plainText(deleted);
}

function plainText(value: Json): string {
	const text = typeof value === 'string' ? value : canonicalJson(value);
	return { t: 'true', f: 'false' }[text] ?? text;
}

/** Reads an entity's `deletes`. */
export function readDeletes(value: unknown, context: DeletesContext): DeletePolicy {
	const place = { ...context, path: [...context.path, 'deletes'] };
	const read = context.problems.readObject(value ?? {}, deletesShape, place.path);
	return {
		conflict: read.conflict ?? 'review',
		massDelete: readMassDelete(read.massDelete, place),
		as: readAs(read.as, { ...place, path: [...place.path, 'as'] }),
	};
}

/** The rules as the document writes them. */
export function documentOfDeletes({ conflict, massDelete, as }: DeletePolicy): Json {
	const soft = [...as].map(([system, { column, deleted, live }]): [string, Json] => [
		system,
		{ [column]: { deleted, live } },
	]);
	return {
		conflict,
		massDelete: { ...massDelete },
		...(soft.length > 0 ? { as: Object.fromEntries(soft) } : {}),
	};
}

function readMassDelete(value: unknown, { problems, path }: DeletesContext): DeletePolicy['massDelete'] {
	if (value === undefined) return DEFAULT_MASS_DELETE;
	const read = problems.readObject(value ?? {}, massDeleteShape, [...path, 'massDelete']);
	return { rows: read.rows ?? null, percent: read.percent ?? null };
}

/**
 * `as: { active: false }` names a mapped field, for every system that carries it;
 * `as: { billing: { active: false } }` names a column of one system.
 */
function readAs(value: unknown, context: DeletesContext): DeletePolicy['as'] {
	if (value === undefined) return new Map();
	const { problems, path, systems, fields } = context;
	const read = new Map<string, SoftDelete>();
	for (const [name, what] of problems.readEntries(value, path, 'must name a system or a field')) {
		const place = [...path, name];
		if (systems.includes(name)) {
			const [first, ...more] = problems.readEntries(what, place, 'must name a column and its value');
			if (more.length > 0) problems.add(place, 'must name one column');
			if (first) put(name, first[0], { value: first[1], place: [...place, first[0]] });
			continue;
		}
		const field = fields.get(name);
		if (!field) {
			const known = [...systems, ...fields.keys()];
			problems.add(place, `is neither a system (${listOf(systems, 'or')}) nor a field${didYouMean(name, known)}`);
		}
		for (const [system, { column }] of field?.columns ?? []) put(system, column, { value: what, place });
	}
	return read;

	function put(system: string, column: string, { value: given, place }: { value: unknown; place: PolicyPath }): void {
		const soft = readSoftDelete(column, given, { problems, path: place });
		if (soft === undefined) return;
		if (read.has(system)) problems.add(place, `says a second time how ${system} deletes`);
		read.set(system, soft);
	}
}

/** `false` (its opposite brings the row back), or `{ deleted: closed, live: open }`. */
function readSoftDelete(
	column: string,
	value: unknown,
	{ problems, path }: Pick<DeletesContext, 'problems' | 'path'>,
): SoftDelete | undefined {
	if (typeof value === 'boolean') return { column, deleted: value, live: !value };
	if (typeof value !== 'object' || value === null) {
		const given = problems.read(scalar, value, path);
		if (given === undefined) return undefined;
		problems.add(path, 'must be true, false, or { deleted: …, live: … } with the values of a deleted row and of one that is brought back');
		return undefined;
	}
	const { deleted, live } = problems.readObject(value, softDeleteShape, path);
	if (deleted === undefined || live === undefined) return undefined;
	if (isSame(deleted, live)) problems.add(path, 'must have two different values');
	return { column, deleted, live };
}

function isSame(a: Scalar, b: Scalar): boolean {
	return a === b || String(a) === String(b);
}
