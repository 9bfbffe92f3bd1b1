import type { Json } from './canonical-json';
import type { Codec } from './codecs/codec';
import type { DeletePolicy, FieldPolicy, Scalar, SoftDelete } from './policy';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { datedDeleteShape, deletesShape, massDeleteShape, scalar, softDeleteShape } from './policy-schema';
import { isSameScalar } from './row-scope';
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
	const soft = [...as].map(([system, { column, ...says }]): [string, Json] => [system, { [column]: { ...says } }]);
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
		for (const [system, { column, codec }] of field?.columns ?? []) {
			put(system, column, { value: what, place, spell: (canon) => spelled(canon, codec, { system, problems, path: place }) });
		}
	}
	return read;

	function put(system: string, column: string, { value: given, place, spell }: GivenSoftDelete): void {
		const said = readSoftDelete(column, given, { problems, path: place });
		const soft = said && spell ? spelledAs(said, spell) : said;
		if (soft === undefined) return;
		if (read.has(system)) problems.add(place, `says a second time how ${system} deletes`);
		read.set(system, soft);
	}
}

function spelledAs(said: SoftDelete, spell: (canon: Scalar) => Scalar): SoftDelete {
	// A date is read as it stands in the column, whatever the field's codec makes of it.
	return 'passed' in said ? said : { ...said, deleted: spell(said.deleted), live: spell(said.live) };
}

interface GivenSoftDelete {
	readonly value: unknown;
	readonly place: PolicyPath;
	/** Where a field is named, its values are those that all systems have in common. */
	readonly spell?: (canon: Scalar) => Scalar;
}

/** A field's value as the system's column has it. */
function spelled(
	canon: Scalar,
	codec: Codec,
	{ system, problems, path }: { system: string; problems: PolicyProblems; path: PolicyPath },
): Scalar {
	const written = codec.toRaw(canon);
	if (written.ok && (typeof written.value !== 'object' || written.value === null)) return written.value;
	problems.add(path, `has no such value in ${system}: it ${written.ok ? 'would be a list or an object there' : written.reason}`);
	return canon;
}

/**
 * The fields without those that say whether the record is there: that is no value beside the
 * record's existence, and two rules for one thing would contradict each other.
 */
export function withoutSoftDeletes(
	fields: ReadonlyMap<string, FieldPolicy>,
	as: DeletePolicy['as'],
	{ problems, path }: Pick<DeletesContext, 'problems' | 'path'>,
): ReadonlyMap<string, FieldPolicy> {
	const kept = [...fields].filter(([name, { columns, computed }]) => {
		const says = [...columns].filter(([system, { column }]) => as.get(system)?.column === column);
		if (says.length === 0) return true;
		const others = columns.size + computed.size - says.length;
		if (others > 0) {
			const message = `is how ${listOf(says.map(([system]) => system), 'and')} says that a record is deleted (deletes.as), so it cannot be a value too; let "as" name the field, or leave the field out`;
			problems.add([...path, 'fields', name], message);
		}
		return false;
	});
	return new Map(kept);
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
		problems.add(path, 'must be true, false, { deleted: …, live: … } with the values of a deleted row and of one that is brought back, or { passed: true } where it holds a date');
		return undefined;
	}
	if ('passed' in value) {
		const { passed, live = null } = problems.readObject(value, datedDeleteShape, path);
		return passed && { column, passed, live };
	}
	const { deleted, live } = problems.readObject(value, softDeleteShape, path);
	if (deleted === undefined || live === undefined) return undefined;
	if (isSameScalar(deleted, live)) problems.add(path, 'must have two different values');
	return { column, deleted, live };
}
