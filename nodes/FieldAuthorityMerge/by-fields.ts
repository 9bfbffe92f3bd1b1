import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { parseFields } from '../../src/core/given-json';
import {
	type FieldRule,
	type Fields,
	mergeThreeWay,
	type Side,
	type ThreeWayInput,
	type ThreeWayResult,
} from '../../src/core/three-way';
import { filled, type InputItem, withFinding } from '../shared/items';
import { emptyOutputs, errorItem, type Outputs } from '../shared/run-node';
import { invalid, oneOf, text } from '../shared/settings';
import { nodeError } from '../shared/sync-error-to-node';
import { MERGE, outputsFor } from './outputs';

/** The sides' names are the first two of *Systems*. */
type SideNames = Readonly<Record<Side, string>>;

/** Merges the three versions of a record that each item brings along. */
export function mergeByFields(
	context: IExecuteFunctions,
	systems: readonly string[],
	items: readonly INodeExecutionData[],
): Outputs {
	const { outputCount, nothingToDo } = outputsFor(systems);
	const [a, b] = systems;
	if (a === undefined || b === undefined || systems.length > 2) {
		throw invalid('Systems', 'must be two names when given versions are merged');
	}
	const names = { a, b };
	const rules = readRules(context.getNodeParameter('rules', 0, {}), names);
	const outputs = emptyOutputs(outputCount);
	for (const input of filled(items)) {
		try {
			const result = mergeThreeWay({
				...versionsOf(context, input),
				rules,
				otherwise: { kind: 'review' },
			});
			routeResult(outputs, { input, result, names });
		} catch (error) {
			const node = context.getNode();
			if (!context.continueOnFail()) throw nodeError(node, error, input.index);
			outputs[nothingToDo]?.push(errorItem(node, input, { key: MERGE, error }));
		}
	}
	return outputs;
}

function versionsOf(
	context: IExecuteFunctions,
	{ index }: InputItem,
): Pick<ThreeWayInput, 'base' | 'a' | 'b'> {
	const read = (name: string, label: string): Fields => {
		const fields = parseFields(context.getNodeParameter(name, index));
		if (fields) return fields;
		throw invalid(label, `of item ${index} must be an object of fields, such as { "email": "x" }`);
	};
	return { base: read('base', 'Base'), a: read('a', 'Version A'), b: read('b', 'Version B') };
}

function routeResult(
	outputs: Outputs,
	{ input, result, names }: { input: InputItem; result: ThreeWayResult; names: SideNames },
): void {
	const { review, nothingToDo } = outputsFor(Object.values(names));
	const { merged, writes, conflicts } = result;
	for (const [output, side] of (['a', 'b'] as const).entries()) {
		if (Object.keys(writes[side]).length === 0) continue;
		const finding = { system: names[side], merged, changes: writes[side] };
		outputs[output]?.push(withFinding(input, MERGE, finding));
	}
	if (conflicts.length > 0) {
		const reviews = conflicts.map(({ field, a, b, ...base }) => ({
			field,
			...base,
			values: Object.fromEntries([
				[names.a, a],
				[names.b, b],
			]),
		}));
		outputs[review]?.push(withFinding(input, MERGE, { reviews, merged }));
	} else if (Object.values(writes).every((fields) => Object.keys(fields).length === 0)) {
		outputs[nothingToDo]?.push(withFinding(input, MERGE, { merged }));
	}
}

function readRules(value: unknown, names: SideNames): Map<string, FieldRule> {
	const rules = (value as { rule?: readonly Record<string, unknown>[] } | null)?.rule ?? [];
	return new Map(rules.map((rule) => [text('Field', rule['field']), readRule(rule, names)]));
}

function readRule(rule: Record<string, unknown>, names: SideNames): FieldRule {
	const kind = oneOf('Rule', rule['rule'], ['owner', 'prefer', 'review']);
	if (kind === 'review') return { kind };
	const system = oneOf('System', rule['system'], [names.a, names.b]);
	return { kind, side: system === names.a ? 'a' : 'b' };
}
