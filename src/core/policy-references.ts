import type { Json } from './canonical-json';
import type { EntityPolicy, FieldPolicy } from './policy';
import type { FieldContext } from './policy-codecs';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { parentShape } from './policy-schema';
import { didYouMean } from './suggest';

/** Strategies that choose one of the values; the others would make a new one, or compare keys as if they were amounts. */
const CHOOSING: readonly string[] = ['prefer', 'latest', 'review'];

/** Checks what a field with `references` says of itself: its values are keys, compared by the record they name. */
export function checkReferenceField(field: FieldPolicy, { problems, path }: FieldContext): void {
	const { references, columns, computed, authority, map, valid } = field;
	if (references === null) return;
	for (const system of computed.keys()) {
		problems.add([...path, system], 'must be a column: a reference is written as well as read');
	}
	if (map !== null || [...columns.values()].some(({ specs }) => specs.length > 0)) {
		const message = 'takes no codec or map: each system gets the key that the record has there';
		problems.add([...path, 'references'], message);
	}
	if (authority.kind === 'shared' && !CHOOSING.includes(authority.resolve.kind)) {
		problems.add([...path, 'resolve'], 'must be prefer(system), latest or review for a field with references');
	}
	if (valid && (valid.pattern !== null || valid.oneOf !== null || valid.transitions !== null)) {
		problems.add([...path, 'valid'], 'can only say required: true for a field with references');
	}
}

/** Reads an entity's `parent`. @returns the name of the field that refers to it; null when there is none */
export function readParent(
	value: unknown,
	context: {
		readonly problems: PolicyProblems;
		readonly path: PolicyPath;
		readonly fields: ReadonlyMap<string, FieldPolicy>;
	},
): string | null {
	if (value === undefined) return null;
	const { problems, fields } = context;
	const path = [...context.path, 'parent'];
	const { entity, field } = problems.readObject(value, parentShape, path);
	if (entity === undefined || field === undefined) return null;
	const named = fields.get(field);
	if (named === undefined) {
		const hint = didYouMean(field, fields.keys());
		problems.add([...path, 'field'], `"${field}" is not a field of this entity${hint}`);
	} else if (named.references !== entity) {
		problems.add([...path, 'field'], `must be a field that says references: ${entity}`);
	}
	return field;
}

export function documentOfParent({ parent, fields }: EntityPolicy): { [key: string]: Json } {
	const entity = parent === null ? null : (fields.get(parent)?.references ?? null);
	return entity === null ? {} : { parent: { entity, field: parent } };
}

/** Checks that what is referred to can be named by one column in every system that refers to it. */
export function checkReferences(
	entities: ReadonlyMap<string, EntityPolicy>,
	problems: PolicyProblems,
): void {
	for (const { name, fields } of entities.values()) {
		for (const field of fields.values()) {
			if (field.references === null) continue;
			const path = ['entities', name, 'fields', field.name];
			const target = entities.get(field.references);
			if (target) checkTarget(field, target, { problems, path });
			else {
				const hint = didYouMean(field.references, entities.keys());
				problems.add([...path, 'references'], `"${field.references}" is not an entity of this policy${hint}`);
			}
		}
	}
}

function checkTarget(
	{ columns }: FieldPolicy,
	target: EntityPolicy,
	{ problems, path }: { readonly problems: PolicyProblems; readonly path: PolicyPath },
): void {
	for (const system of columns.keys()) {
		const table = target.tables.get(system);
		if (table === undefined) {
			const message = `names records that ${system} has none of: the entity "${target.name}" has no table there`;
			problems.add([...path, system], message);
		} else if (table.key.length > 1) {
			const message = `is one column, but the key of "${target.name}" in ${system} has ${table.key.length}`;
			problems.add([...path, system], message);
		}
	}
}
