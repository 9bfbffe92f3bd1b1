import { readFieldCodecs, type FieldContext } from './policy-codecs';
import type { Authority, FieldPolicy, Strategy } from './policy';
import { columnName, fieldShape, LATER_FIELD_KEYS, LATER_STRATEGIES } from './policy-schema';
import { didYouMean, listOf } from './suggest';

/**
 * Reads one field of an entity, adding what is wrong to `problems`; once there is a problem the
 * result means nothing.
 */
export function readField(
	value: unknown,
	{ problems, path, systems }: Omit<FieldContext, 'carriers'> & { systems: readonly string[] },
): FieldPolicy {
	const columnShape = Object.fromEntries(systems.map((system) => [system, columnName]));
	const shape = { ...columnShape, ...fieldShape };
	const read = problems.readObject(value, shape, path, LATER_FIELD_KEYS);
	const carriers = systems.filter((system) => isNamed(value, system));
	if (carriers.length === 0) {
		problems.add(path, `is carried by no system; name its column in ${listOf(systems, 'or')}`);
	}
	const context: FieldContext = { problems, path, carriers };
	const { codecs, map } = readFieldCodecs({ codec: read.codec, map: read.map }, context);
	const columns = [...codecs].map(([system, { specs, codec }]) => {
		const column: unknown = (read as Readonly<Record<string, unknown>>)[system];
		return [system, { column: typeof column === 'string' ? column : '', specs, codec }] as const;
	});
	const authority = readAuthority({ ...read, hasResolve: isNamed(value, 'resolve') }, context);
	return { name: String(path.at(-1)), columns: new Map(columns), authority, map };
}

interface ReadAuthority {
	readonly owner?: string;
	readonly onForeignEdit?: 'revert' | 'ignore' | 'review' | undefined;
	readonly resolve?: string | undefined;
	/** Also true when `resolve` was there and could not be read. */
	readonly hasResolve: boolean;
}

function readAuthority(read: ReadAuthority, context: FieldContext): Authority {
	const { problems, path, carriers } = context;
	const { owner = 'shared', onForeignEdit = 'revert' } = read;
	if (owner === 'shared') {
		if (read.onForeignEdit !== undefined) {
			problems.add([...path, 'onForeignEdit'], 'needs an owner; a shared field has none');
		}
		return { kind: 'shared', resolve: readStrategy(read, context) };
	}
	if (carriers.length > 0 && !carriers.includes(owner)) {
		const allowed = [...carriers, 'shared'];
		const message = `must be ${listOf(allowed, 'or')}, a system with a column for this field, not "${owner}"`;
		problems.add([...path, 'owner'], message + didYouMean(owner, allowed));
	} else if (read.hasResolve) {
		problems.add(
			[...path, 'resolve'],
			`is for shared fields; this one is decided by its owner ${owner}`,
		);
	}
	return { kind: 'owned', owner, onForeignEdit };
}

function readStrategy(read: ReadAuthority, { problems, path, carriers }: FieldContext): Strategy {
	const available = [...carriers.map((system) => `prefer(${system})`), 'review'];
	const use = `use ${listOf(available, 'or')}`;
	const add = (message: string) => problems.add([...path, 'resolve'], message);
	if (read.owner === 'shared' && !read.hasResolve)
		add(`is missing; a shared field needs one: ${use}`);
	if (read.resolve === undefined) return { kind: 'review' };
	const [, word = '', argument] =
		/^\s*([\w-]+)\s*(?:\(\s*(.*?)\s*\))?\s*$/.exec(read.resolve) ?? [];
	if (word === 'prefer' && argument !== undefined && carriers.includes(argument)) {
		return { kind: 'prefer', system: argument };
	}
	if (word === 'review' && argument === undefined) return { kind: 'review' };
	if (LATER_STRATEGIES.includes(word)) add(`${word} is not available in this version; ${use}`);
	else if (word === 'prefer') {
		add(`prefer must name a system with a column for this field; ${use}`);
	} else add(`"${read.resolve}" is not a strategy; ${use}${didYouMean(read.resolve, available)}`);
	return { kind: 'review' };
}

/** Whether the document has the key, readable or not. */
function isNamed(value: unknown, key: string): boolean {
	return typeof value === 'object' && value !== null && Object.hasOwn(value, key);
}
