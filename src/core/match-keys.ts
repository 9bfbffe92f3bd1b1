import { canonicalJson, type Json } from './canonical-json';
import { existsIn, type LinkState } from './link';
import { readFields } from './mapping';
import type { EntityPolicy, Policy } from './policy';
import type { RecordChange } from './record-change';
import { isUnlinked, readReference } from './references';

/** The fields by which an entity's records are matched. */
export function matchFields(entity: EntityPolicy): readonly string[] {
	return [...new Set(entity.match.flat())];
}

/**
 * The texts by which a record may be matched with one of another system: equal texts, same record.
 * In the order of the policy's match rules; each is the canonical JSON of { field: canonical value }.
 *
 * The fields are named in the text rather than numbered, so that publishing a policy with another
 * order of rules does not make an old claim mean another field. A rule with a part that is
 * unknown, null or '' gives none: an empty text identifies nobody.
 */
export function matchKeys(
	entity: EntityPolicy,
	canonByField: ReadonlyMap<string, Json>,
): readonly string[] {
	return entity.match.flatMap((rule) => {
		const parts = rule.map((field): [string, Json] => [field, canonByField.get(field) ?? null]);
		const complete = parts.every(([field, canon]) => canon !== null && canon !== '' && !isOpen(entity, field, canon));
		return complete ? [canonicalJson(Object.fromEntries(parts))] : [];
	});
}

/** It names a record that is not known yet: which one it is, and so who this one is, remains to be seen. */
function isOpen({ fields }: EntityPolicy, field: string, canon: Json): boolean {
	return fields.get(field)?.references != null && isUnlinked(canon);
}

/** The match keys that the record has after the change. */
export function matchKeysOfChange(entity: EntityPolicy, change: RecordChange): readonly string[] {
	const { system, columns, unchanged } = change;
	const names = matchFields(entity);
	const canon = new Map<string, Json>();
	for (const [name, read] of readFields(entity, system, columns, { unchanged, names })) {
		const reading = readReference(read, { field: entity.fields.get(name), change, view: undefined });
		if (reading.state === 'value') canon.set(name, reading.canon);
	}
	return matchKeys(entity, canon);
}

/** The match keys of the records that a link has or is about to have, system by system. */
export function matchKeysOfLink(policy: Policy, state: LinkState): Set<string> {
	const { fields, inFlight } = state;
	const entity = policy.entities.get(state.entity);
	const matches = new Set<string>();
	if (!entity) return matches;
	const names = matchFields(entity);
	const add = (canonOf: (field: string) => { readonly canon: Json } | undefined): void => {
		const known = names.flatMap((field): [string, Json][] => {
			const value = canonOf(field);
			return value === undefined ? [] : [[field, value.canon]];
		});
		for (const match of matchKeys(entity, new Map(known))) matches.add(match);
	};
	for (const system of policy.systems) {
		if (existsIn(state, system)) add((field) => fields[field]?.views[system]);
	}
	// Until its outcome is known, our new row may be there: whoever comes with its values is the same record.
	for (const { kind, fields: written } of Object.values(inFlight)) {
		if (kind === 'insert') add((field) => written[field]);
	}
	return matches;
}
