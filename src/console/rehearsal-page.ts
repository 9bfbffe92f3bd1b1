import type { PolicyRehearsal } from '../core/rehearse-policy';
import { entitiesOf, REHEARSAL_NOTE, rehearsalSignatures, rehearsalTable } from '../core/rehearse-table';
import { HASH_PREFIX } from '../core/sign-off-csv';
import { html } from './html';
import { htmlTable, page } from './sheet-page';

/** What a policy makes of each case, as a page of its own: no script, no address outside. */
export function rehearsalAsHtml(rehearsal: PolicyRehearsal): string {
	const title = `Rehearsal of policy ${rehearsal.policy}`;
	return page(
		title,
		html`<h1>${title}</h1>
<p>Hash: <code>${HASH_PREFIX}${rehearsal.hash}</code></p>
<p>${REHEARSAL_NOTE}</p>
${entitiesOf(rehearsal).map((entity) => html`<h2>${entity}</h2>
${htmlTable(rehearsalTable(rehearsal, entity))}`)}
<h2>Signatures</h2>
${htmlTable(rehearsalSignatures(rehearsal))}`,
	);
}
