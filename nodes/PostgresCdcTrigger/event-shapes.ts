import type { ChangeEvent } from '../../src/core/change-event';
import { propertiesOf } from '../../src/core/payload';
import type { Policy } from '../../src/core/policy';
import { columnOfPart } from '../../src/core/record-parts';
import { maskMarker, type MaskKind, shapeEvent, type TableShape } from '../../src/core/shape-event';
import type { EventBody, EventOrigin } from '../../src/postgres/event-envelope';
import { labelOf } from '../../src/postgres/snapshot-columns';
import type { TableRule, TableRules } from './table-rules';

type Shape = NonNullable<EventOrigin['shape']>;

/**
 * With a policy: what it reads of a table, and nothing else, so that no column which has no business in a sync comes into
 * n8n's executions or the journal. Done here and not by column lists of the publication, which Postgres refuses
 * (42P10) where a table logs whole old rows.
 */
export function policyShape(policy: Policy, system: string): Shape {
	const shapes = new Map<string, TableShape>();
	for (const entity of policy.entities.values()) {
		const parts = [...(entity.tables.get(system)?.parts.values() ?? [])];
		const keys = parts.flatMap(({ name, key }) => key.map((column) => columnOfPart(name, column)));
		shapes.set(entity.name, { columns: new Set([...propertiesOf(entity, system), ...keys]), masks: NO_MASKS });
	}
	return (body) => {
		const shape = shapes.get(body.entity);
		return shape ? shapeEvent(body, shape, '') : body;
	};
}

const NO_MASKS: ReadonlyMap<string, MaskKind> = new Map();

/** Without one: what the node's rules say of each table. */
export function tablesShape(tables: readonly TableRule[], maskKey: string): Shape {
	const shapes = new Map(tables.map((rule): [string, TableShape] => [labelOf(rule), shapeOf(rule)]));
	const all = new Map([...shapes.values()].flatMap(({ masks }) => [...masks]));
	return (body) => {
		const shape = shapes.get(body.entity);
		if (shape) return shapeEvent(body, shape, maskKey);
		// A sync's marker without a row speaks of an entity, whose table nobody here knows.
		return { ...body, ...maskedAlone(body, all, maskKey) };
	};
}

function maskedAlone({ key, marker }: EventBody, masks: TableShape['masks'], maskKey: string): Pick<EventBody, 'key' | 'marker'> {
	const masked = marker && maskMarker(marker, masks, maskKey);
	return { key: masked ? { ...masked.key } : key, marker: masked };
}

function shapeOf({ columns, masks }: TableRule): TableShape {
	return { columns: columns && new Set(columns), masks };
}

const OPERATIONS = { c: 'insert', r: 'insert', u: 'update', d: 'delete', t: 'truncate' } as const;

/** Whether the node asks for events of this kind; what is no change of rows always comes. */
export function isWanted({ op }: Pick<ChangeEvent, 'op'>, wanted: TableRules['operations']): boolean {
	return !(op in OPERATIONS) || wanted.includes(OPERATIONS[op as keyof typeof OPERATIONS]);
}
