import { ApiLab, type ApiLabOptions } from '../support/api-lab';
import { ApiStory } from '../support/api-story';
import type { SwitchChange } from '../support/rest-crm/switches';
import { seededRandom } from '../support/seeded-random';

jest.setTimeout(120_000);

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
		shares: options.tier !== 'blind',
	};
	return { lab: opened, story: new ApiStory(world, seededRandom(options.seed ?? 1)) };
}

const NOISE: SwitchChange = {
	webhooks: { duplicate: 0.3, delay: 0.4, delayMs: 200 },
	faults: { loseReply: 0.15, fail: 0.1, failAfter: 0.1, staleRead: 0.1 },
};

test('an API with conditional writes and a database stay equal, in quiet times', async () => {
	const { lab: quiet, story } = await open({ tier: 'conditional' });
	await story.create(4);
	await story.edit(6);
	expect(story.foreignValues(await story.untilEqual())).toEqual([]);
	expect(await quiet.crm.verdict()).toEqual({ overwritten: [], twice: [] });
	expect(quiet.failures).toEqual([]);
});

test.each([1, 2])('and while events are lost, late and doubled, and replies get lost (seed %d)', async (seed) => {
	const { lab: noisy, story } = await open({ tier: 'conditional', seed, switches: NOISE });
	await story.create(6);
	for (let burst = 0; burst < 2; burst++) {
		await story.edit(10);
		expect(story.foreignValues(await story.untilEqual())).toEqual([]);
	}
	expect(await noisy.crm.verdict()).toEqual({ overwritten: [], twice: [] });
});
