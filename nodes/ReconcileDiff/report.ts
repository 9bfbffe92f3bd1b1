import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import type { Json } from '../../src/core/canonical-json';
import { EXISTENCE } from '../../src/core/link';
import { maskRowKeys } from '../../src/core/mask';
import { approvedPart } from '../../src/core/pending';
import { differenceToken, type FieldDifference, maskDifference, type RecordDifference } from '../../src/core/reconcile-record';
import { policyInForce } from '../../src/store/published-policy';
import type { PublishedPolicy } from '../../src/store/sync-store';
import type { Comparison, FoundDifference } from './compare-systems';
import type { RowSource } from './row-source';

/** Outputs of a comparison. */
export const DIFFERENT = 0;
const ONLY_IN_A = 1;
const ONLY_IN_B = 2;
const SUMMARY = 3;

export interface ReportParts {
	readonly run: string;
	readonly published: PublishedPolicy;
	readonly sides: readonly RowSource[];
	/** Also what people or the rules have settled on. */
	readonly withKnown: boolean;
	readonly startedMs: number;
}

/** Whether people, or the rules, have settled on the difference. */
function isSettled({ why, actions }: FieldDifference): boolean {
	return why !== 'drift' && (why !== 'rules' || actions.every((action) => action === 'ignore'));
}

/** Without what people and the rules have settled on; null: that is all there is. */
export function unsettled(difference: RecordDifference): RecordDifference | null {
	if (difference.isBeingTakenIn) return difference;
	const fields = difference.fields.filter((field) => !isSettled(field));
	return fields.length === 0 ? null : { ...difference, fields };
}

/** How many differences a record counts for: one where it is in one system only, else its fields. */
export function countOf({ onlyIn, isDuplicate, fields }: RecordDifference): number {
	return onlyIn !== null || isDuplicate ? 1 : fields.length;
}

/** The items of all outputs. */
export function reportItems(comparison: Comparison, parts: ReportParts): INodeExecutionData[][] {
	const outputs: INodeExecutionData[][] = [[], [], [], []];
	const [a] = parts.sides;
	const listed = listedOf(comparison.found, parts.withKnown);
	for (const difference of listed) {
		const { onlyIn, isDuplicate } = difference;
		const output = onlyIn === null || isDuplicate ? DIFFERENT : onlyIn === a?.system ? ONLY_IN_A : ONLY_IN_B;
		outputs[output]?.push({ json: differenceItem(difference, parts), pairedItem: { item: 0 } });
	}
	outputs[SUMMARY]?.push({ json: summaryOf(comparison, listed, parts), pairedItem: { item: 0 } });
	return outputs;
}

export function listedOf(found: readonly FoundDifference[], withKnown: boolean): RecordDifference[] {
	return found.flatMap(({ difference }) => (withKnown ? difference : (unsettled(difference) ?? [])));
}

/** One record, values masked; what Repair takes as approved. */
export function differenceItem(difference: RecordDifference, { run, published }: Pick<ReportParts, 'run' | 'published'>): IDataObject {
	const entity = approvedPart(policyInForce(published)).policy.entities.get(difference.entity);
	const masked = entity ? maskDifference(difference, entity) : difference;
	const { link, onlyIn, isDuplicate, isBeingTakenIn, fields } = masked;
	const actions = [...new Set(fields.flatMap((field) => field.actions))];
	const item = {
		run,
		entity: difference.entity,
		link,
		keys: entity ? maskRowKeys(masked.keys as Record<string, Json>, entity) : {},
		onlyIn,
		...(isDuplicate ? { duplicate: true } : {}),
		...(isBeingTakenIn ? { takenInHalfway: true } : {}),
		fields: fields.map((field) => ({ ...field, field: field.field === EXISTENCE ? 'record' : field.field })),
		actions,
		token: differenceToken(difference, published.macKey),
	};
	return item as unknown as IDataObject;
}

function summaryOf({ found, stillChanging, rows, links, readWhole, lastWhole }: Comparison, listed: readonly RecordDifference[], { run, sides, startedMs, published }: ReportParts): IDataObject {
	const all = found.map(({ difference }) => difference);
	const settled = all.flatMap(({ isBeingTakenIn, fields }) => (isBeingTakenIn ? [] : fields.filter(isSettled)));
	const summary = {
		run,
		policy: published.name,
		equal: listed.length === 0 && stillChanging.length === 0,
		differences: listed.map(countOf).reduce((sum, count) => sum + count, 0),
		records: listed.length,
		onlyIn: Object.fromEntries(sides.map(({ system }) => [system, listed.filter(({ onlyIn }) => onlyIn === system).length])),
		duplicates: listed.filter(({ isDuplicate }) => isDuplicate).length,
		byField: byField(listed),
		accepted: settled.filter(({ why }) => why === 'accepted').length,
		inReview: settled.filter(({ why }) => why === 'review').length,
		held: settled.filter(({ why }) => why === 'held').length,
		tolerated: settled.filter(({ why }) => why === 'rules').length,
		stillChanging: stillChanging.length,
		rows,
		links,
		readWhole,
		...(Object.keys(lastWhole).length > 0 ? { lastWhole } : {}),
		places: Object.fromEntries(sides.map((side) => [side.system, side.lsn])),
		durationMs: Math.round(performance.now() - startedMs),
	};
	return summary as unknown as IDataObject;
}

/** { "customer.phone": { crm: 2, "update billing": 2 } }: in which systems drift was found, and what would be done. */
function byField(listed: readonly RecordDifference[]): Record<string, Record<string, number>> {
	const counts: Record<string, Record<string, number>> = {};
	for (const { entity, fields } of listed) {
		for (const { field, known, actions } of fields) {
			const mine = (counts[`${entity}.${field === EXISTENCE ? 'record' : field}`] ??= {});
			for (const name of [...Object.keys(known), ...actions]) mine[name] = (mine[name] ?? 0) + 1;
		}
	}
	return counts;
}
