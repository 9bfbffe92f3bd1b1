import type { IDataObject } from 'n8n-workflow';

import { addToReport, emptyReport, type EntityReport } from '../../src/core/first-contact';
import { isBehindApi, waitsForApproval, whatIsUnread } from '../../src/store/approve-first-contact';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { Loaded, PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import { markdownOf, type ReportRow, sentenceOf, tableOf } from './report-table';

/** Links read in one store trip. */
const PAGE = 1_000;

export const FORMATS = ['summary', 'table', 'markdown'] as const;

/**
 * What the systems have in common, and what approving would do; counts and keys, no values.
 *
 * @returns one item, or for a table one per row
 */
export async function firstContactReport(
	store: Pick<SyncStore, 'load' | 'scanLinks'>,
	policy: string,
	format: (typeof FORMATS)[number],
): Promise<IDataObject[]> {
	const loaded = await store.load({ policy });
	const published = requirePublished(loaded, policy);
	const entities = await reportOn(store, published);
	switch (format) {
		case 'summary':
			return [{ ...headOf(loaded, published), ...asData(entities) }];
		case 'table':
			return tableOf(entities).map((row) => ({ ...row }));
		case 'markdown':
			return [{ ...headOf(loaded, published), markdown: markdownOf(policy, entities) }];
	}
}

/** The same as a sentence and rows, for a page. */
export async function firstContactRows(store: Pick<SyncStore, 'load' | 'scanLinks'>, policy: string): Promise<{ sentence: string; rows: ReportRow[] }> {
	const loaded = await store.load({ policy });
	const entities = await reportOn(store, requirePublished(loaded, policy));
	return { sentence: entities.map(sentenceOf).join(' '), rows: tableOf(entities) };
}

async function reportOn(
	store: Pick<SyncStore, 'scanLinks'>,
	published: PublishedPolicy,
): Promise<EntityReport[]> {
	const inForce = policyInForce(published);
	const report = emptyReport(inForce);
	let afterId: string | undefined;
	for (;;) {
		const after = afterId === undefined ? {} : { afterId };
		const links = await store.scanLinks({ policy: published.name, limit: PAGE, ...after });
		for (const { state } of links) addToReport(report, state, inForce);
		afterId = links.at(-1)?.state.id;
		if (links.length < PAGE || afterId === undefined) break;
	}
	return [...report.values()];
}

function headOf(loaded: Loaded, published: PublishedPolicy): IDataObject {
	const { name: policy, version, mode, pending } = published;
	const { policy: policyOf } = policyInForce(published);
	const { systems } = policyOf;
	return {
		policy,
		version,
		mode,
		pending: [...pending],
		waitsForApproval: waitsForApproval(published),
		unread: whatIsUnread(loaded, published),
		read: Object.fromEntries(systems.map((system) => [system, isBehindApi(policyOf, system) ? 'by requests' : stateOf(loaded, system)])),
		progress: progressOf(loaded),
	};
}

function asData(entities: readonly EntityReport[]): IDataObject {
	return {
		entities: entities.map((entity) => ({ ...entity })) as unknown as IDataObject[],
		summary: entities.map(sentenceOf),
	};
}

function stateOf({ streams }: Loaded, system: string): string {
	const stream = streams[system];
	if (!stream) return 'not read yet';
	return stream.snapshot === 'running' ? 'being read' : 'read';
}

/** One entry per table that is or was read, such as { system, table, rows: 1200, estimate: 5000, percent: 24 }. */
export function progressOf({ streams }: Pick<Loaded, 'streams'>): IDataObject[] {
	return Object.entries(streams).flatMap(([system, { reading }]) =>
		(reading ?? []).map(({ table, phase, rows, estimate }) => ({
			system,
			table,
			state: phase === 'done' ? 'read' : 'being read',
			rows,
			estimate,
			percent: percentOf(phase === 'done', rows, estimate),
		})),
	);
}

/** Of an estimate, so never quite all before it is known to be all. */
function percentOf(isDone: boolean, rows: number, estimate: number | null): number | null {
	if (isDone) return 100;
	return estimate === null || estimate <= 0
		? null
		: Math.min(99, Math.floor((100 * rows) / estimate));
}
