import { DeadLetterQueue } from '../../nodes/DeadLetterQueue/DeadLetterQueue.node';
import { EXISTENCE } from '../../src/core/link';
import { keyText } from '../../src/core/mapping';
import { freezeRecord } from '../../src/store/freeze-record';
import type { StoredReview } from '../../src/core/review';
import { executeNode } from '../support/fake-execute';
import { RECORD } from './check-names';
import type { Rehearsal } from './rehearsal';
import { ScenarioError } from './scenario-error';
import type { Given } from './steps';
import { bindingOf } from './table-name';

const BY = 'operator';
const LIMIT = 1_000;

export async function readReviews({ home, policyName }: Rehearsal, state?: StoredReview['state']): Promise<readonly StoredReview[]> {
	return await home.observer.listReviews({ policy: policyName, limit: LIMIT, ...(state ? { state } : {}) });
}

/** Keeps what every item looked like when it was first there. */
export async function noteReviews(rehearsal: Rehearsal): Promise<void> {
	for (const item of await readReviews(rehearsal, 'open')) {
		if (!rehearsal.firstSeen.has(item.id)) rehearsal.firstSeen.set(item.id, item);
	}
}

type Answer = { readonly operation: 'resolve' | 'dismiss' | 'retry' | 'approve' | 'reject' } & Partial<Pick<Given<'resolve'>, 'apply' | 'value'>> &
	Omit<Given<'resolve'>, 'apply' | 'value'>;

/**
 * Answers the review item of a record with the Dead Letter Queue node. That it is refused is no
 * failure; that there is no such item is.
 */
export async function answerReview(rehearsal: Rehearsal, answer: Answer): Promise<void> {
	await noteReviews(rehearsal);
	const item = await itemFor(rehearsal, answer);
	const seen = answer.token === 'first' ? (rehearsal.firstSeen.get(item.id) ?? item) : item;
	const parameters = { id: item.id, token: seen.token, by: BY, ...choiceOf(answer, item) };
	for (let time = 0; time < answer.times; time++) {
		await tell(rehearsal, { operation: answer.operation, ...parameters });
	}
}

function choiceOf({ operation, apply, value, field }: Answer, item: StoredReview): Record<string, unknown> {
	if (operation !== 'resolve') return {};
	if (apply !== undefined) return { choice: 'apply', system: apply };
	const name = field === undefined ? item.fields[0] : fieldName(field);
	return { choice: 'values', values: JSON.stringify({ [name ?? '']: value }) };
}

const fieldName = (field: string): string => (field === RECORD ? EXISTENCE : field);

async function itemFor(rehearsal: Rehearsal, answer: Answer): Promise<StoredReview> {
	const { table, system, field, token } = answer;
	const link = await linkFor(rehearsal, answer);
	const concerns = (item: StoredReview): boolean =>
		(twinWords.includes(answer.operation) ? twinOf(item) !== undefined : true) &&
		(item.link === link || twinOf(item) === link) &&
		(field === undefined || item.fields.includes(fieldName(field)));
	const all = (await readReviews(rehearsal)).filter(concerns);
	const open = all.filter(({ state }) => state === 'open');
	// Whoever still has an older page before them may answer an item that is closed by now.
	const [item, another] = open.length > 0 ? open : all.filter(({ id }) => token === 'first' && rehearsal.firstSeen.has(id));
	const what = `review item about ${field ?? 'the record'} of ${system} ${table} ${JSON.stringify(answer.key)}`;
	if (!item) throw new ScenarioError(`There is no open ${what}`);
	if (another) throw new ScenarioError(`There is more than one ${what}: name the field`);
	return item;
}

/** What only an item about two records is answered with. */
const twinWords: readonly Answer['operation'][] = ['approve', 'reject'];

/** The other record that an item asks about. */
function twinOf({ detail }: StoredReview): unknown {
	return (detail as { readonly resembles?: { readonly link?: unknown } }).resembles?.link;
}

/** The link whose row in the system has, or had, this key. */
async function linkFor(rehearsal: Rehearsal, { table, key, system }: Pick<Answer, 'table' | 'key' | 'system'>): Promise<string> {
	const { home, policyName, version } = rehearsal;
	const entity = bindingOf(version.policy, system, table)?.entity ?? '';
	const asText = Object.fromEntries(Object.entries(key).map(([column, value]) => [column, keyText(value)]));
	const { links } = await home.observer.load({ policy: policyName, keys: [{ system, entity, key: asText }] });
	const link = links[0]?.state.id;
	if (link === undefined) throw new ScenarioError(`The sync knows no row of ${system} ${table} with the key ${JSON.stringify(key)}`);
	return link;
}

/** Approves everything that waits for approval, first contact included. */
export async function approveAll(rehearsal: Rehearsal): Promise<void> {
	const { mode } = await rehearsal.published();
	const open = (await readReviews(rehearsal, 'open')).filter(({ kind }) => kind === 'approval');
	const items = open.filter(({ id }) => !id.startsWith('first-contact-'));
	// Where changes may be missing, nothing has been read yet that could be approved.
	const isGap = items.some(({ id }) => id.startsWith('gap-'));
	const isContacted = (mode === 'first-contact' && !isGap) || items.length < open.length;
	if (isContacted) await rehearsal.policyNode('approveFirstContact');
	if (items.length === 0 && !isContacted) throw new ScenarioError('Nothing waits for approval');
	for (const { id, token } of items) await tell(rehearsal, { operation: 'approve', id, token, by: BY });
}

/** Freezes a record or one of its fields by hand, or lets it go again. */
export async function holdRecord(
	{ home, policyName, version }: Rehearsal,
	action: 'freeze' | 'unfreeze',
	{ table, key, system, field }: Given<'freeze'>,
): Promise<void> {
	const entity = bindingOf(version.policy, system, table)?.entity ?? '';
	const fields = field === undefined || field === RECORD ? ('record' as const) : [field];
	await freezeRecord(home.observer, { policy: policyName, record: { system, entity, key }, fields, action, by: BY, reason: 'a rehearsal' });
}

async function tell(rehearsal: Rehearsal, parameters: Record<string, unknown>): Promise<void> {
	const { storeCredential } = await rehearsal.process();
	rehearsal.refused = null;
	try {
		await executeNode(new DeadLetterQueue(), { parameters, credentials: { bisyncStoreApi: { ...storeCredential } } });
	} catch (error) {
		rehearsal.refused = error instanceof Error ? error.message : String(error);
	}
}
