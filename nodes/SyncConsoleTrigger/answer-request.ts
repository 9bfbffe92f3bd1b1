import type { INodeExecutionData, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { wakeItem } from '../../src/core/wake-item';
import { endOf } from '../../src/store/resolve-review';
import { payloadOf } from '../shared/dead-letters';
import { withFinding } from '../shared/items';
import { withStore } from '../shared/open-store';
import { eventItem } from '../shared/reading-items';
import { text } from '../shared/settings';
import type { DecidingStore, DecidingVisit, Done, Posted } from './answers';
import { decide } from './decide';
import { postBulk } from './post-bulk';
import { postHold } from './post-hold';
import { type Query, readTexts } from './query';
import { readPage } from './read-pages';
import { askForPassword, type Response, sendOn, sendPage, sendPlain } from './reply';
import { admit, type Authentication, type Knock } from './who';

/** A form of ours is much smaller. */
const MAX_FORM_BYTES = 64 * 1_024;
const SECOND_MS = 1_000;

/** The key of this node's findings. */
const CONSOLE = 'console';

/** Answers a browser; what was decided is what starts the workflow. */
export async function answerRequest(context: IWebhookFunctions): Promise<IWebhookResponseData> {
	const response = context.getResponseObject() as unknown as Response;
	try {
		return await withStore(context, async (store) => await answerWith(context, store, response));
	} catch (error) {
		const why = error instanceof SyncError ? error : null;
		context.logger.error(`Sync console: ${why ? `${why.message} ${why.remedy}` : String(error)}`);
		// Whoever reads the page may not be who runs the server: the log has the rest.
		sendPlain(response, 503, why?.code === 'POLICY_UNPUBLISHED' ? 'The policy of this console is not published yet.' : 'The sync store cannot be reached just now. The log of n8n says more.');
		return { noWebhookResponse: true };
	}
}

async function answerWith(context: IWebhookFunctions, store: DecidingStore & Parameters<typeof admit>[0], response: Response): Promise<IWebhookResponseData> {
	const readers = String(context.getNodeParameter('readers', '')).split(',').map((name) => name.trim()).filter((name) => name !== '');
	const admission = await admit(store, knockOf(context), { authentication: await authenticationOf(context), readers });
	const nothing: IWebhookResponseData = { noWebhookResponse: true };
	if (admission.kind === 'too-often') {
		sendPlain(response, 429, 'Too many failed attempts to sign in. Wait a minute.', { 'Retry-After': String(Math.ceil(admission.waitMs / SECOND_MS)) });
		return nothing;
	}
	if (admission.kind === 'unknown') {
		askForPassword(response);
		return nothing;
	}
	const policy = text('Policy', context.getNodeParameter('policy'));
	const visit = { store, policy, visitor: admission.visitor, reader: { nowMs: Date.now(), zone: context.getTimezone() } };
	const query = readTexts(context.getQueryData());
	if (context.getWebhookName() === 'setup') {
		sendPage(response, await readPage(visit, query));
		return nothing;
	}
	if (Number(context.getHeaderData()['content-length'] ?? 0) > MAX_FORM_BYTES) {
		sendPlain(response, 413, 'That is more than a form of this console can hold.');
		return nothing;
	}
	const posted = await post(visit, query, readTexts(context.getBodyData()));
	if (posted.kind === 'answer') sendPage(response, posted.answer);
	else sendOn(response, posted.address);
	return posted.done.length === 0 ? nothing : { ...nothing, workflowData: [posted.done.map(itemOf)] };
}

async function post(visit: DecidingVisit, query: Query, form: Query): Promise<Posted> {
	if (query['view'] === 'record') return await postHold(visit, query['link'] ?? '', form);
	if (query['view'] === 'reviews') return await postBulk(visit, form);
	return await decide(visit, query['id'] ?? '', form);
}

/** What was decided, as an item: of a record one that the Echo Filter takes as "look at it now", of a dead letter what was pushed. */
function itemOf({ review, resolution: { by, choice }, state }: Done): INodeExecutionData {
	const { id, kind, policy, link, entity, fields, reason } = review;
	const finding = { id, kind, policy, link, entity, fields: [...fields], reason, by, choice: choice.kind, state: endOf(choice) };
	const pushed = choice.kind === 'retry' ? payloadOf(review) : null;
	const item = state ? eventItem(wakeItem(state, Object.keys(state.keys)[0] ?? ''), { json: {} }) : { json: pushed ?? {} };
	return withFinding({ index: 0, item }, CONSOLE, finding);
}

function knockOf(context: IWebhookFunctions): Knock {
	const { ip = '' } = context.getRequestObject() as { ip?: string };
	return { headers: context.getHeaderData(), address: ip };
}

async function authenticationOf(context: IWebhookFunctions): Promise<Authentication> {
	if (context.getNodeParameter('authentication') === 'headerAuth') {
		const { name, value } = await context.getCredentials('httpHeaderAuth');
		return { kind: 'header', name: String(name ?? ''), value: String(value ?? ''), personHeader: String(context.getNodeParameter('personHeader', '')) };
	}
	const { user, password } = await context.getCredentials('httpBasicAuth');
	return { kind: 'basic', user: String(user ?? ''), password: String(password ?? '') };
}
