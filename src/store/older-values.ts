import { canonicalJson } from '../core/canonical-json';
import { hasRowIn, type LinkState } from '../core/link';
import { readFields } from '../core/mapping';
import type { PolicyInForce } from '../core/observe';
import { columnsShown, isOlderRow } from '../core/older-row';
import type { RecordChange } from '../core/record-change';
import { BatchLinks } from './batch-identity';
import type { LoadedLink, SyncStore } from './sync-store';

/** Entries of a journal read in one store trip. */
const PAGE = 1_000;

/**
 * Tells, of rows of a system that was put back, which values it had shown before: the journal has them all. Only rows that
 * differ from what was last observed are looked up, one by one.
 *
 * @param links - those of the changes, by their keys, as far as they are known
 */
export async function withShown(
	store: Pick<SyncStore, 'readJournal'>,
	{ changes, links }: { readonly changes: readonly RecordChange[]; readonly links: readonly LoadedLink[] },
	{ policy }: PolicyInForce,
): Promise<readonly RecordChange[]> {
	if (changes.every(({ restoredTo }) => restoredTo === undefined)) return changes;
	const known = new BatchLinks(policy, links);
	return await Promise.all(
		changes.map(async (change) => {
			const link = change.key && known.byKey(change.system, change.entity, change.key)?.state;
			if (!link || !isOlderRow(link, change) || change.exists !== true || isAsKnown(link, change, { policy })) return change;
			const shown = columnsShown(change, await historyOf(store, { policy: policy.name, link: link.id, system: change.system }));
			return { ...change, shown };
		}),
	);
}

function isAsKnown(link: LinkState, change: RecordChange, { policy }: Pick<PolicyInForce, 'policy'>): boolean {
	const { system, entity: name, columns } = change;
	const entity = policy.entities.get(name);
	if (!entity || !hasRowIn(link, system)) return false;
	return [...readFields(entity, system, columns, change)].every(([field, read]) => {
		const view = link.fields[field]?.views[system];
		return read.state === 'value' && view !== undefined && canonicalJson(read.raw) === canonicalJson(view.raw);
	});
}

async function historyOf(
	store: Pick<SyncStore, 'readJournal'>,
	{ policy, link, system }: { readonly policy: string; readonly link: string; readonly system: string },
): Promise<RecordChange[]> {
	const found: RecordChange[] = [];
	for (let afterSeq: string | undefined; ; ) {
		const page: Awaited<ReturnType<SyncStore['readJournal']>> = await store.readJournal({
			policy,
			link,
			kinds: ['observed'],
			limit: PAGE,
			...(afterSeq === undefined ? {} : { afterSeq }),
		});
		found.push(...page.flatMap(({ entry }) => (entry.kind === 'observed' && entry.change.system === system ? [entry.change] : [])));
		afterSeq = page.at(-1)?.seq;
		if (page.length < PAGE || afterSeq === undefined) return found;
	}
}
