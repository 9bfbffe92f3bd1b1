import { ApiStory } from '../support/api-story';
import type { ApiTier } from '../support/api-world';
import { signatureOf } from '../support/rest-crm/webhooks';
import { seededRandom } from '../support/seeded-random';
import { type ApiPair, ApisInN8n } from './api-in-n8n';

const MINUTE_MS = 60_000;
const TIERS: readonly ApiTier[] = ['conditional', 'verified', 'blind'];

let apis: ApisInN8n | undefined;
beforeAll(async () => {
	apis = await ApisInN8n.start(TIERS);
}, 10 * MINUTE_MS);
afterAll(async () => {
	await apis?.stop();
}, MINUTE_MS);

function pairOf(tier: ApiTier): ApiPair {
	const pair = apis?.pairs.get(tier);
	if (!pair) throw new Error(`n8n has no pair of the tier ${tier}`);
	return pair;
}

test('n8n knows every node of the template and finds its credentials by name', async () => {
	const { workflow, client } = pairOf('conditional');
	const known = await client.nodeTypes();
	const { nodes } = await client.readWorkflow(workflow.id);
	expect(nodes.filter(({ type }) => !known.includes(type))).toEqual([]);
	const credentials = nodes.flatMap((node) => Object.values(node.credentials ?? {}));
	expect(credentials.filter(({ id }) => id === null)).toEqual([]);
});

test.each(TIERS)('with an API of the tier "%s" both systems become equal through losses, delays and refusals', async (tier) => {
	const { crm, billing, isIdle } = pairOf(tier);
	const story = new ApiStory({ crm, billing, isIdle, shares: tier !== 'blind', patienceMs: 90_000 }, seededRandom(7));
	await story.create(4);
	crm.turn({
		webhooks: { duplicate: 0.3, delay: 0.4, delayMs: 400 },
		faults: { loseReply: 0.1, fail: 0.1, failAfter: 0.1 },
		rate: { capacity: 10, refillPerSecond: 10 },
	});
	await story.edit(8);
	expect(story.foreignValues(await story.untilEqual())).toEqual([]);
	const { overwritten, twice } = await crm.verdict();
	expect(twice).toEqual([]);
	// The window between a read and a write is open where the API knows no conditions; nobody shares a field where it is blind.
	if (tier !== 'verified') expect(overwritten).toEqual([]);
}, 4 * MINUTE_MS);

test('an event that the CRM has not signed, or long ago, is turned away', async () => {
	const { workflow, url } = pairOf('conditional');
	const path = workflow.nodes.find(({ name }) => name === 'CRM Events')?.parameters['path'];
	const body = JSON.stringify({ id: 'evt_x', type: 'customer.deleted', record: { id: 'cus_1001' }, version: 99 });
	const send = async (signature: string) =>
		(await fetch(`${url}/webhook/${String(path)}`, {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'x-crm-signature': signature },
			body,
		})).status;
	const now = Math.floor(Date.now() / 1_000);
	expect(await send(signatureOf(body, 'guessed', now))).toBe(401);
	expect(await send(signatureOf(body, 'wh-s3cret', now - 3_600))).toBe(401);
	expect(await send('nonsense')).toBe(401);
});
