import { html, query } from '../../src/console/html';
import { SyncError } from '../../src/core/errors';
import { freezeRecord, type FreezeRequest } from '../../src/store/freeze-record';
import { once } from '../../src/store/once';
import { requirePublished } from '../../src/store/published-policy';
import { type DecidingVisit, type Posted, refusal, SENT_TWICE, whyNotPosted } from './answers';
import { nonceOf, ofRecord } from './form-keys';
import type { Query } from './query';

const MAX_REASON = 300;

/** Freezes fields of a record, or lets go of them. */
export async function postHold(visit: DecidingVisit, link: string, form: Query): Promise<Posted> {
	const { store, policy, visitor } = visit;
	const published = requirePublished(await store.load({ policy }), policy);
	const refuse = (status: number, text: string): Posted => refusal(visit, published, { status, text, again: html`<p><a href="${query({ view: 'record', link })}">Back to the record</a></p>` });
	const nonce = nonceOf(form['key'], visit, { ...ofRecord(link), macKey: published.macKey });
	const why = whyNotPosted(visit, nonce);
	if (why !== null) return refuse(...why);
	const { choice, field = '', reason = '' } = form;
	if (choice !== 'freeze' && choice !== 'unfreeze') return refuse(400, 'Choose what to freeze.');
	const request: FreezeRequest = { policy, record: { link }, action: choice, fields: field === '' ? 'record' : [field], by: visitor.name, reason: reason.trim().slice(0, MAX_REASON) };
	const held = await once(store, { scope: `console:${policy}`, nonce: nonce ?? '' }, async () => await freezeRecord(store, request));
	if (held === 'sent-twice') return refuse(409, SENT_TWICE);
	if (held instanceof SyncError) return refuse(409, `${held.message}. Nothing was changed.`);
	return { kind: 'goto', address: query({ view: 'record', link }), done: [] };
}
