import { ApiLab, type ApiLabOptions } from '../support/api-lab';
import { ApiStory } from '../support/api-story';
import { seenInBilling } from '../support/api-world';
import type { SwitchChange } from '../support/rest-crm/switches';
import type { WorkflowTemplate } from '../support/run-template';
import { seededRandom } from '../support/seeded-random';
import { waitUntil } from '../support/wait-until';

jest.setTimeout(240_000);

let lab: ApiLab | undefined;
afterEach(async () => {
	await lab?.close();
	lab = undefined;
});

async function open(options: ApiLabOptions): Promise<{ lab: ApiLab; story: ApiStory }> {
	const opened = (lab = await ApiLab.open(options));
	await opened.begin();
	const world = {
		crm: opened.crm,
		billing: opened.billing.pool,
		isIdle: async () => await opened.isIdle(),
		patienceMs: 90_000,
		shares: options.tier !== 'blind',
	};
	return { lab: opened, story: new ApiStory(world, seededRandom(options.seed ?? 1)) };
}

/** The template with a limit on writes per second. */
function limitedTo(rateCapacity: number, template: WorkflowTemplate): WorkflowTemplate {
	const nodes = template.nodes.map((node) =>
		node.name === 'Begin' ? { ...node, parameters: { ...node.parameters, rateCapacity, rateSeconds: 1 } } : node,
	);
	return { ...template, nodes };
}

/** Another row of dice for a look at many: `PROPERTY_SEED=7 npx jest test/nodes/api-in-process`. */
const SEED = Number(process.env['PROPERTY_SEED'] ?? 1);

const NOISE: SwitchChange = {
	webhooks: { duplicate: 0.3, delay: 0.4, delayMs: 200 },
	faults: { loseReply: 0.15, fail: 0.1, failAfter: 0.1, staleRead: 0.1 },
};

test('in quiet times an API and a database stay equal, and every request says what it expects', async () => {
	const { lab: quiet, story } = await open({ tier: 'conditional' });
	await story.create(4);
	await story.edit(6);
	expect(story.foreignValues(await story.untilEqual())).toEqual([]);
	expect(await quiet.crm.verdict()).toEqual({ overwritten: [], twice: [] });
	expect(quiet.failures).toEqual([]);
});

describe('while events come late, twice and out of order, and replies get lost,', () => {
	test('an API with conditional writes and a database become equal, and nothing is overwritten unseen', async () => {
		const { lab: noisy, story } = await open({ tier: 'conditional', seed: SEED, switches: NOISE });
		await story.create(6);
		for (let burst = 0; burst < 2; burst++) {
			await story.edit(8);
			expect(story.foreignValues(await story.untilEqual())).toEqual([]);
		}
		expect(await noisy.crm.verdict()).toEqual({ overwritten: [], twice: [] });
	});

	test('so do one that only tells its history, and what was overwritten in the window is told', async () => {
		const { lab: noisy, story } = await open({ tier: 'verified', seed: SEED, switches: NOISE });
		await story.create(6);
		await story.edit(8);
		expect(story.foreignValues(await story.untilEqual())).toEqual([]);
		const { overwritten, twice } = await noisy.crm.verdict();
		expect(twice).toEqual([]);
		const told = await noisy.journal();
		expect(overwritten.filter(({ value }) => !told.includes(JSON.stringify(value)))).toEqual([]);
	});

	test('so do one that tells nothing, where each field has an owner', async () => {
		// An old answer of a replica looks like any other where nothing tells its age; the next reading of all records finds it.
		const switches = { ...NOISE, faults: { ...NOISE.faults, staleRead: 0 } };
		const { lab: noisy, story } = await open({ tier: 'blind', seed: SEED, switches });
		await story.create(6);
		await story.edit(8);
		expect(story.foreignValues(await story.untilEqual())).toEqual([]);
		expect(await noisy.crm.verdict()).toEqual({ overwritten: [], twice: [] });
	});
});

/** `npm run api:rest` has more updates wait, and for longer. */
const REST = {
	records: Number(process.env['API_REST_RECORDS'] ?? 8),
	updatesOfEach: Number(process.env['API_REST_UPDATES'] ?? 3),
	ms: Number(process.env['API_REST_MS'] ?? 6_000),
	afterSeconds: Number(process.env['API_REST_AFTER'] ?? 4),
};

/** What was on its way already is refused as well; then everybody has heard of it, and waits. */
const HEARD_MS = 2_000;

/** Refusals that came too soon after an earlier one, in milliseconds after it. */
function tooSoon(refusedAtMs: readonly number[], afterMs: number): number[] {
	let first = -Infinity;
	return refusedAtMs.flatMap((atMs) => {
		if (atMs >= first + afterMs) first = atMs;
		return atMs > first + HEARD_MS ? [atMs - first] : [];
	});
}

test('an API that asks to wait is waited for by all writes, in order, and the other direction goes on', async () => {
	const { lab: limited, story } = await open({ tier: 'conditional' });
	const { crm, billing } = limited;
	limited.template = limitedTo(5, limited.template);
	await story.create(REST.records);
	const untilMs = Date.now() + REST.ms;
	crm.turn({ refuse: { status: 429, retryAfterSeconds: REST.afterSeconds, untilMs } });
	const memos = Array.from({ length: REST.updatesOfEach }, (_, n) => `memo ${String(n).padStart(3, '0')}`);
	for (const memo of memos) await billing.pool.query('update accounts set memo = $1', [memo]);
	const [{ id } = { id: '' }] = await crm.records.list({ after: '', limit: 1 });
	await crm.asUser('eve').patch(id, { phone: '555' });
	await waitUntil('the other direction', async () => (await seenInBilling(billing.pool)).some(({ phone }) => phone === '555'));
	expect(Date.now()).toBeLessThan(untilMs);
	const end = await story.untilEqual();
	expect(new Set(end.map(({ note }) => note))).toEqual(new Set(memos.slice(-1)));
	expect(crm.limiter.refusedAtMs).not.toEqual([]);
	expect(tooSoon(crm.limiter.refusedAtMs, REST.afterSeconds * 1_000)).toEqual([]);
	const notes = (await crm.records.log()).filter(({ by, changed }) => by === 'api' && changed.includes('note'));
	const order = new Map<string, unknown[]>();
	for (const { id: one, customer } of notes) order.set(one, [...(order.get(one) ?? []), customer?.note]);
	const ranks = ['n0', null, ...memos];
	for (const seen of order.values()) expect(seen).toEqual([...seen].sort((a, b) => ranks.indexOf(a as string) - ranks.indexOf(b as string)));
});
