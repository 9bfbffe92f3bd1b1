import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { Json } from '../../src/core/canonical-json';
import { compareLists, type ListComparison, type ListField, type ListRules, type PairOfNames } from '../../src/core/reconcile-lists';
import { shallowJson } from '../../src/core/shallow-json';
import { filled } from '../shared/items';
import type { Outputs } from '../shared/run-node';
import { invalid } from '../shared/settings';
import { fieldsOf, keysOf, plainFields } from './list-rules';

type Row = Readonly<Record<string, Json>>;

/** Compares the items of two inputs. */
export function compareItems(context: Pick<IExecuteFunctions, 'getInputData' | 'getNodeParameter'>): Outputs {
	const [a, b] = [0, 1].map((input) => filled(inputOf(context, input)).map(({ item }) => rowOf(item)));
	const rules = rulesOf(context, [...(a ?? []), ...(b ?? [])]);
	return outputsOf({ a: a ?? [], b: b ?? [] }, compareLists(a ?? [], b ?? [], rules), rules);
}

/** An input that nothing has reached has no items. */
function inputOf(context: Pick<IExecuteFunctions, 'getInputData'>, input: number): INodeExecutionData[] {
	return (context.getInputData(input) as INodeExecutionData[] | undefined) ?? [];
}

function rowOf({ json }: INodeExecutionData): Row {
	return Object.fromEntries(
		Object.entries(json).map(([name, value]) => {
			const read = shallowJson.safeParse(value instanceof Date ? value.toISOString() : value);
			if (read.success) return [name, read.data];
			throw invalid('Items', `must hold plain values: "${name}" does not`);
		}),
	);
}

function rulesOf(context: Pick<IExecuteFunctions, 'getNodeParameter'>, rows: readonly Row[]): ListRules {
	const keys = keysOf(context.getNodeParameter('key', 0));
	const given = fieldsOf(context.getNodeParameter('fields', 0, {}));
	return { keys, fields: given.length > 0 ? given : allFields(rows, keys) };
}

/** Without a list: all properties but those of the key, compared as they are. */
function allFields(rows: readonly Row[], keys: readonly PairOfNames[]): ListField[] {
	const ofKeys = new Set(keys.flatMap(({ a, b }) => [a, b]));
	const names = new Set(rows.flatMap((row) => Object.keys(row)));
	return plainFields([...names].filter((name) => !ofKeys.has(name)));
}

export interface Lists {
	readonly a: readonly Row[];
	readonly b: readonly Row[];
}

export function outputsOf(lists: Lists, found: ListComparison, { keys }: ListRules): Outputs {
	const { different, onlyInA, onlyInB, duplicates, withoutKey, equal } = found;
	const keyOf = (row: Row): IDataObject => Object.fromEntries(keys.map(({ a }) => [a, row[a] ?? null])) as IDataObject;
	const rowsAt = (side: 'a' | 'b', places: readonly number[]): INodeExecutionData[] =>
		places.map((at) => ({ json: { ...lists[side][at] } as IDataObject, pairedItem: { item: at, input: side === 'a' ? 0 : 1 } }));
	const differing = different.map(({ a, b, fields }): INodeExecutionData => {
		const actions = [...new Set(fields.map(({ action }) => action))];
		const json = { key: keyOf(lists.a[a] ?? {}), fields, actions, a: lists.a[a], b: lists.b[b] } as unknown as IDataObject;
		return { json, pairedItem: [{ item: a, input: 0 }, { item: b, input: 1 }] };
	});
	const repeated = duplicates.map(({ side, places }): INodeExecutionData => {
		const json = { duplicate: true, side, actions: ['review'], rows: places.map((at) => lists[side][at]) } as unknown as IDataObject;
		return { json, pairedItem: places.map((item) => ({ item, input: side === 'a' ? 0 : 1 })) };
	});
	const count = (side: 'a' | 'b', of: readonly { side: 'a' | 'b' }[]): number => of.filter((one) => one.side === side).length;
	const summary = {
		equal: different.length + onlyInA.length + onlyInB.length + duplicates.length + withoutKey.length === 0,
		rows: { a: lists.a.length, b: lists.b.length },
		same: equal,
		records: different.length,
		differences: different.flatMap(({ fields }) => fields).length,
		byField: countsOf(different.flatMap(({ fields }) => fields.map(({ field }) => field))),
		onlyIn: { a: onlyInA.length, b: onlyInB.length },
		duplicates: { a: count('a', duplicates), b: count('b', duplicates) },
		withoutKey: { a: count('a', withoutKey), b: count('b', withoutKey) },
	};
	return [[...differing, ...repeated], rowsAt('a', onlyInA), rowsAt('b', onlyInB), [{ json: summary }]];
}

function countsOf(names: readonly string[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
	return counts;
}
