import type { Json } from '../core/canonical-json';
import { ruleOfField } from '../core/first-contact';
import type { FieldState, LinkState, View } from '../core/link';
import { MASK, maskRowKeys } from '../core/mask';
import type { EntityPolicy } from '../core/policy';
import { counterOf } from '../core/version-vector';
import type { ShownField, ShownRecord, ShownVersion } from './review-model';
import { valueText } from './shown-value';

/** A record for a page, sensitive values masked. @param names - the fields to be shown */
export function shownRecord(state: LinkState, entity: EntityPolicy, names: readonly string[]): ShownRecord {
	const systems = [...entity.tables.keys()];
	return {
		link: state.id,
		entity: state.entity,
		keys: shownKeys(state, entity),
		systems,
		fields: names.flatMap((name) => shownField(name, state.fields[name], { entity, systems }) ?? []),
		writing: systems.filter((system) => state.inFlight[system] !== undefined),
	};
}

/** "id 7" by system. */
export function shownKeys({ keys }: LinkState, entity: EntityPolicy): Record<string, string> {
	const masked = maskRowKeys(keys as Record<string, Json>, entity) as Record<string, Record<string, Json>>;
	const text = (key: Record<string, Json>): string => Object.entries(key).map(([column, value]) => `${column} ${valueText(value)}`).join(', ');
	return Object.fromEntries(Object.entries(masked).map(([system, key]) => [system, text(key)]));
}

function shownField(name: string, field: FieldState | undefined, { entity, systems }: { entity: EntityPolicy; systems: readonly string[] }): ShownField | null {
	if (field === undefined) return null;
	const isSensitive = entity.sensitive.has(name);
	const rule = ruleOfField(entity, name) ?? 'no longer in the policy';
	const there = systems.flatMap((system) => (field.views[system] ? [[system, field.views[system]] as const] : []));
	const values = there.map(([system, view]): [string, ShownVersion] => [system, shownVersion(view, { isSensitive, ...whatWasSeen(system, view, there) })]);
	return { name, rule, isSensitive, values: Object.fromEntries(values), merged: field.merged === null ? undefined : isSensitive ? MASK : field.merged.canon, ...(field.held ? { held: field.held } : {}) };
}

interface Seen {
	readonly hadSeen: readonly string[];
	readonly hadNotSeen: readonly string[];
}

/** Of the other systems' own changes, which ones whoever wrote this version had before them. */
function whatWasSeen(system: string, { vector }: View, there: readonly (readonly [string, View])[]): Seen {
	const changed = there.filter(([other, view]) => other !== system && counterOf(view.vector, other) > 0);
	const has = ([other, view]: readonly [string, View]): boolean => counterOf(vector, other) >= counterOf(view.vector, other);
	return { hadSeen: changed.filter(has).map(([other]) => other), hadNotSeen: changed.filter((one) => !has(one)).map(([other]) => other) };
}

function shownVersion({ canon, base, unreadable }: View, { isSensitive, hadSeen, hadNotSeen }: Seen & { isSensitive: boolean }): ShownVersion {
	return {
		value: isSensitive ? MASK : canon,
		...(base === undefined ? {} : { base: isSensitive ? MASK : base }),
		hadSeen,
		hadNotSeen,
		...(unreadable === undefined ? {} : { unreadable }),
	};
}
