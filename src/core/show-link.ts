import type { Json } from './canonical-json';
import type { FieldState, LinkState, Operation, View } from './link';
import { MASK, maskRowKeys } from './mask';
import type { EntityPolicy } from './policy';

/**
 * A link's state for people who look into the sync itself: values with their vectors, what is under way and what holds still. Named one
 * by one, so that nothing which comes to be kept in a link is shown before somebody has thought of masking it.
 */
export function showLink({ fields, inFlight, seen, numbers, staleRuns, generation, keys, apart, into }: LinkState, entity: EntityPolicy): Record<string, Json> {
	const shown = Object.entries(fields).map(([name, field]) => [name, showField(field, entity.sensitive.has(name))] as const);
	return {
		generation,
		keys: maskRowKeys(keys as Record<string, Json>, entity),
		seen: { ...seen },
		fields: Object.fromEntries(shown),
		inFlight: Object.fromEntries(Object.entries(inFlight).map(([system, op]) => [system, showOperation(op)])),
		numbers: { ...numbers },
		staleRuns: JSON.parse(JSON.stringify(staleRuns)) as Json,
		...(apart ? { apart: [...apart] } : {}),
		...(into === undefined ? {} : { into }),
	};
}

function showField({ merged, views, frozen, held }: FieldState, isMasked: boolean): Json {
	const shown = Object.entries(views).map(([system, view]) => [system, showView(view, isMasked)] as const);
	return {
		merged: merged === null ? null : { canon: isMasked ? MASK : merged.canon, vector: { ...merged.vector }, from: merged.from },
		views: Object.fromEntries(shown),
		frozen: frozen === null ? null : { review: frozen.review, kind: frozen.kind, reason: frozen.reason },
		...(held ? { held: { ...held } } : {}),
	};
}

function showView({ raw, canon, vector, base, accepted, residual, defaulted, unreadable }: View, isMasked: boolean): Json {
	const value = (given: Json): Json => (isMasked ? MASK : given);
	return {
		raw: value(raw),
		canon: value(canon),
		vector: { ...vector },
		...(base === undefined ? {} : { base: value(base) }),
		...(accepted ? { accepted } : {}),
		...(residual ? { residual } : {}),
		...(defaulted ? { defaulted } : {}),
		...(unreadable === undefined ? {} : { unreadable }),
	};
}

const showOperation = ({ id, kind, number, fields }: Operation): Json => ({ id, kind, number, fields: Object.keys(fields) });
