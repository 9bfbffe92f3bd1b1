import type { IDataObject } from 'n8n-workflow';

import { addToReport, emptyReport, type EntityReport } from '../../src/core/first-contact';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { Loaded, SyncStore } from '../../src/store/sync-store';

/** Links read in one store trip. */
const PAGE = 1_000;

/** What the systems have in common, and what approving would do; counts only, no values. */
export async function firstContactReport(
	store: Pick<SyncStore, 'load' | 'scanLinks'>,
	policy: string,
): Promise<IDataObject> {
	const loaded = await store.load({ policy });
	const published = requirePublished(loaded, policy);
	const inForce = policyInForce(published);
	const report = emptyReport(inForce.policy);
	let afterId: string | undefined;
	for (;;) {
		const after = afterId === undefined ? {} : { afterId };
		const links = await store.scanLinks({ policy, limit: PAGE, ...after });
		for (const { state } of links) addToReport(report, state, inForce);
		afterId = links.at(-1)?.state.id;
		if (links.length < PAGE || afterId === undefined) break;
	}
	const { systems } = inForce.policy;
	return {
		policy,
		version: published.version,
		mode: published.mode,
		read: Object.fromEntries(systems.map((system) => [system, progressOf(loaded, system)])),
		entities: [...report.values()].map((entity) => ({ ...entity })) as unknown as IDataObject[],
		summary: [...report.values()].map(inWords),
	};
}

function progressOf({ streams }: Loaded, system: string): string {
	const stream = streams[system];
	if (!stream) return 'not read yet';
	return stream.snapshot === 'running' ? 'being read' : 'read';
}

/** One line for a person, such as "customer: 40 equal, 3 different …". */
export function inWords(report: EntityReport): string {
	const { entity, linkedEqual, linkedDifferent, onlyIn, ambiguous, inserts, fields } = report;
	const counts = [
		`${linkedEqual} equal`,
		`${linkedDifferent} different`,
		...Object.entries(onlyIn).map(([system, count]) => `${count} only in ${system}`),
		...(ambiguous > 0 ? [`${ambiguous} ambiguous`] : []),
	];
	const plans = [
		...Object.entries(inserts).map(([system, count]) => `make ${count} in ${system}`),
		...Object.entries(fields).flatMap(([name, field]) => [
			...Object.entries(field.writes).map(
				([system, count]) => `overwrite ${name} in ${count} rows of ${system} (${field.rule})`,
			),
			...(field.reviews > 0 ? [`leave ${name} of ${field.reviews} records to a person`] : []),
		]),
	];
	const would =
		plans.length > 0 ? `Approving would ${plans.join(', ')}` : 'Approving would write nothing';
	return `${entity}: ${counts.join(', ')}. ${would}.`;
}
