import { z } from 'zod/v4';
import type {
	EntityPolicy,
	FieldPolicy,
	TableBinding,
} from './policy';
import { checkApi, isApiDocument, readApi } from './policy-api';
import { checkEntity } from './policy-checks';
import { readColumnRules } from './policy-columns';
import { readDeletes, withoutSoftDeletes } from './policy-deletes';
import { readField } from './policy-field';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { readParts } from './policy-parts';
import { readParent } from './policy-references';
import { readSimilar } from './policy-similar';
import {
	entityShape,
	fieldName,
	tableShape,
} from './policy-schema';
import { listOf } from './suggest';

/** What the readers of one entity share. */
interface EntityContext {
	readonly problems: PolicyProblems;
	/** Ends with the entity's name. */
	readonly path: PolicyPath;
	readonly systems: readonly string[];
}

/** Reads one entity, adding what is wrong to `problems`; once there is a problem the result means nothing. */
export function readEntity(value: unknown, context: EntityContext): EntityPolicy {
	const { problems, path, systems } = context;
	const tableKeys = Object.fromEntries(systems.map((system) => [system, z.unknown()]));
	const shape = { ...tableKeys, ...entityShape };
	const read = problems.readObject(value, shape, path);
	const byKey: Readonly<Record<string, unknown>> = read;
	const bound = systems.filter((system) => byKey[system] !== undefined);
	if (bound.length < 2) {
		problems.add(path, `must have a table in at least two of ${listOf(systems, 'and')}`);
	}
	const tables = bound.map(
		(system) => [system, readTable(system, byKey[system], context)] as const,
	);
	const named = readFields(read.fields, context);
	const deletes = readDeletes(read.deletes, { problems, path, systems: bound, fields: named });
	const fields = withoutSoftDeletes(named, deletes.as, context);
	const entity: EntityPolicy = {
		name: String(path.at(-1)),
		tables: new Map(tables),
		match: read.match ?? [],
		fields,
		deletes,
		required: new Set([...(read.required ?? [])].sort()),
		similar: readSimilar(read.similar, { problems, path, fields }),
		parent: readParent(read.parent, { problems, path, fields }),
		sensitive: new Set([...(read.sensitive ?? [])].sort()),
	};
	checkEntity(entity, context);
	checkApi(entity, context);
	return entity;
}

function readTable(
	system: string,
	value: unknown,
	{ problems, path }: EntityContext,
): TableBinding {
	const place = [...path, system];
	if (isApiDocument(value)) return readApi(system, value, { problems, path: place });
	const read = problems.readObject(value, tableShape, place);
	return {
		system,
		schema: read.table?.schema ?? '',
		table: read.table?.table ?? '',
		key: read.key ?? [],
		...readColumnRules(read, { problems, path: place }),
		parts: readParts(read.parts, { problems, path: place }),
	};
}

function readFields(value: unknown, context: EntityContext): ReadonlyMap<string, FieldPolicy> {
	const { problems, systems } = context;
	const path = [...context.path, 'fields'];
	const entries = problems.readEntries(value, path, 'must have at least one field');
	const fields = entries.map(([name, field]) => {
		const place = [...path, name];
		problems.read(fieldName, name, place);
		return [name, readField(field, { problems, path: place, systems })] as const;
	});
	return new Map(fields);
}
