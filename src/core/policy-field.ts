import { z } from 'zod/v4';
import { chainCodecs } from './codecs';
import { set } from './codecs/nested-codecs';
import { readFieldCodecs, type ColumnCodec, type FieldContext } from './policy-codecs';
import type { Authority, ColumnBinding, ComputedBinding, FieldPolicy, ForeignEdit } from './policy';
import { checkComputed, readCarrying } from './policy-binding';
import { checkReferenceField } from './policy-references';
import { fieldShape } from './policy-schema';
import { readStrategy } from './policy-strategy';
import { readValid } from './policy-valid';
import { didYouMean, listOf } from './suggest';

/**
 * Reads one field of an entity, adding what is wrong to `problems`; once there is a problem the
 * result means nothing.
 */
export function readField(
	value: unknown,
	{ problems, path, systems }: Omit<FieldContext, 'carriers'> & { systems: readonly string[] },
): FieldPolicy {
	const columnShape = Object.fromEntries(systems.map((system) => [system, z.unknown()]));
	const shape = { ...columnShape, ...fieldShape };
	const read = problems.readObject(value, shape, path);
	const carriers = systems.filter((system) => isNamed(value, system));
	if (carriers.length === 0) {
		problems.add(path, `is carried by no system; name its column in ${listOf(systems, 'or')}`);
	}
	const context: FieldContext = { problems, path, carriers };
	const { codecs, map } = readFieldCodecs({ codec: read.codec, map: read.map }, context);
	const authority = readAuthority({ ...read, hasResolve: isNamed(value, 'resolve') }, context);
	const isSet = authority.kind === 'shared' && authority.resolve.kind === 'union';
	const columns = new Map<string, ColumnBinding>();
	const computed = new Map<string, ComputedBinding>();
	for (const [system, given] of codecs) {
		const coded = isSet ? asSet(given) : given;
		const named = (read as Readonly<Record<string, unknown>>)[system];
		const { kind, ...binding } = readCarrying(named, [...path, system], problems);
		if ('column' in binding) columns.set(system, { ...binding, ...coded });
		else computed.set(system, { ...binding, ...coded });
	}
	checkComputed(computed.keys(), read.owner, context);
	const field: FieldPolicy = {
		name: String(path.at(-1)),
		columns,
		computed,
		authority,
		map,
		nulls: read.nulls ?? 'clear',
		valid: readValid(read.valid, context),
		references: read.references ?? null,
	};
	checkReferenceField(field, context);
	return field;
}

/** Values that are joined as sets are also compared as sets. */
function asSet(coded: ColumnCodec): ColumnCodec {
	const { specs, codec } = coded;
	if (specs.includes(set.name)) return coded;
	return {
		specs: [...specs, set.name],
		codec: chainCodecs(specs.length === 0 ? [set] : [codec, set]),
	};
}

interface ReadAuthority {
	readonly owner?: string;
	readonly onForeignEdit?: ForeignEdit | undefined;
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

/** Whether the document has the key, readable or not. */
function isNamed(value: unknown, key: string): boolean {
	return typeof value === 'object' && value !== null && Object.hasOwn(value, key);
}
