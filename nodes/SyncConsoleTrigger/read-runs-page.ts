import type { Page } from '../../src/console/layout';
import { type FirstContactShown, runsPage } from '../../src/console/runs-page';
import { waitsForApproval } from '../../src/store/approve-first-contact';
import { readRuns } from '../../src/store/keep-run';
import type { PublishedPolicy } from '../../src/store/sync-store';
import { firstContactRows } from '../SyncPolicy/first-contact-report';
import type { Visit } from './visit';

const SPAN_MS = 90 * 86_400_000;
const MAX_RUNS = 200;
/** Somebody who compares once a week still sees a line. */
const GAP_MS = 8 * 86_400_000;

/** Reports of reconcile, and of the first contact that waits for somebody. */
export async function readRunsPage({ store, policy, reader }: Visit, published: PublishedPolicy): Promise<Page> {
	const runs = await readRuns(store, policy, MAX_RUNS);
	const { nowMs: toMs } = await store.figures({ policy });
	const firstContact = waitsForApproval(published) ? await firstContactShown({ store, policy }) : null;
	return runsPage({ runs, firstContact, span: { fromMs: toMs - SPAN_MS, toMs, zone: reader.zone, gapMs: GAP_MS } }, reader);
}

async function firstContactShown({ store, policy }: Pick<Visit, 'store' | 'policy'>): Promise<FirstContactShown> {
	const { sentence, rows } = await firstContactRows(store, policy);
	const counts = (byName: Readonly<Record<string, number>>): string => Object.entries(byName).map(([name, count]) => `${name} ${count}`).join(', ');
	return {
		sentence,
		columns: ['Records', 'Field', 'Rule', 'Equal', 'Different', 'Only in', 'Would write', 'Would ask'],
		rows: rows.map((row) => [row.entity, row.field, row.rule, String(row.equal), String(row.different), counts(row.onlyIn), counts(row.wouldWrite), String(row.wouldAsk)]),
	};
}
