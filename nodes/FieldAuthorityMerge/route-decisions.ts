import type { INodeExecutionData } from 'n8n-workflow';

import type { Operation } from '../../src/core/link';
import type { Wait } from '../../src/core/references';
import type { Decided, DecidedBatch } from '../../src/store/decide-batch';
import { noteOnSignature } from '../../src/store/in-effect';
import { findingOf, withFinding } from '../shared/items';
import { noteOnMode } from '../shared/mode-hint';
import type { ObservedItem } from '../shared/observe-items';
import { emptyOutputs, type Outputs } from '../shared/run-node';
import { MERGE, outputsFor } from './outputs';

export interface Decisions {
	/** In the order of the batch. */
	readonly observed: readonly ObservedItem[];
	/** Null when the items speak of no link at all. */
	readonly decided: DecidedBatch | null;
	readonly systems: readonly string[];
	readonly isTest: boolean;
}

/**
 * One item per link and operation on the output of its system, one per link with open reviews on
 * Review, one on Nothing To Do for every other link. Each carries the last item of its link.
 */
export function routeDecisions(decisions: Decisions): Outputs {
	const { observed, decided, systems } = decisions;
	const { outputCount, nothingToDo } = outputsFor(systems);
	const outputs = emptyOutputs(outputCount);
	for (const items of byLink(observed)) {
		const last = items.at(-1);
		if (!last) continue;
		const link = decided?.links.get(last.found.link ?? '');
		if (link) routeLink(outputs, { ...decisions, link, items, last });
		else
			outputs[nothingToDo]?.push(
				withFinding(last, MERGE, { link: last.found.link, note: whyUndecided(last) }),
			);
	}
	return outputs;
}

/** What the person at the canvas should know about the whole batch. */
export function hintsOf(decisions: Decisions): string[] {
	const { observed, decided } = decisions;
	const returned = byLink(observed).some((items) => {
		const link = decided?.links.get(items[0]?.found.link ?? '');
		return link?.ops.some((op) => triedIn(items).has(op.id)) ?? false;
	});
	const hints = returned ? [RETURNED] : [];
	const note = decided ? noteOnMode(decided.published.mode) : null;
	const pending = decided?.published.pending ?? [];
	if (pending.length > 0) hints.push(noteOnPending(pending));
	const unsigned = decided ? noteOnSignature(decided.published) : null;
	return [...hints, ...(note === null ? [] : [note]), ...(unsigned === null ? [] : [unsigned])];
}

function noteOnPending(pending: readonly string[]): string {
	return `Observed only, until their first contact is approved (Sync Policy: First Contact Report, then Approve First Contact): ${pending.join(', ')}.`;
}

const RETURNED =
	'Items came back here from Sync Write. A write is handed out once per execution: its outcome comes with the change stream, and the trigger offers the record again by itself. Disconnect Stale and Failed from this node.';

interface LinkRouting extends Decisions {
	readonly link: Decided;
	readonly items: readonly ObservedItem[];
	readonly last: ObservedItem;
}

function routeLink(outputs: Outputs, routing: LinkRouting): void {
	const { link, items, last, systems, decided } = routing;
	const { review, nothingToDo } = outputsFor(systems);
	const tried = triedIn(items);
	const ops = link.ops.filter((op) => !tried.has(op.id));
	for (const op of ops) outputs[systems.indexOf(op.system)]?.push(writeItem(op, routing));
	if (link.reviews.length > 0) {
		const finding = { link: link.link, reviews: [...link.reviews] };
		outputs[review]?.push(withFinding(last, MERGE, finding));
	}
	if (ops.length > 0 || link.reviews.length > 0) return;
	const mode = decided ? noteOnMode(decided.published.mode) : null;
	const note = ops.length < link.ops.length ? RETURNED : (mode ?? noteOnWaits(link.waits));
	outputs[nothingToDo]?.push(
		withFinding(last, MERGE, { link: link.link, ...(note === null ? {} : { note }) }),
	);
}

/** Names only, no values. */
function noteOnWaits([first, ...more]: readonly Wait[]): string | null {
	if (first === undefined) return null;
	const others = more.length > 0 ? ` (and ${more.length} more)` : '';
	return `Waits with ${first.field} for ${first.system}: ${first.reason}${others}. The trigger offers the record again by itself.`;
}

function writeItem(op: Operation, { last, isTest }: LinkRouting): INodeExecutionData {
	const would = isTest ? { would: `be written: ${describe(op)}` } : {};
	return withFinding(last, MERGE, { link: op.link, op, ...would });
}

/** Names only, no values. */
function describe({ kind, system, fields }: Operation): string {
	return `${kind} in ${system} of ${Object.keys(fields).join(', ') || 'the record'}`;
}

/** Operations that items of the batch have already brought to Sync Write. */
function triedIn(items: readonly ObservedItem[]): ReadonlySet<string> {
	return new Set(
		items.flatMap(({ item }) => {
			const tried = findingOf(item, 'write')?.['tried'];
			return Array.isArray(tried) ? tried.map(String) : [];
		}),
	);
}

function byLink(observed: readonly ObservedItem[]): ObservedItem[][] {
	const groups = new Map<string, ObservedItem[]>();
	for (const item of observed) {
		// Items that concern no link stay by themselves.
		const group = item.found.link ?? `item ${item.index}`;
		groups.set(group, [...(groups.get(group) ?? []), item]);
	}
	return [...groups.values()];
}

function whyUndecided({ found }: ObservedItem): string {
	return found.link === null
		? 'The change concerns no record that is synced'
		: 'Other workers were faster each time; the trigger offers the record again';
}
