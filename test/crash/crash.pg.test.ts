import { runCampaign } from './run-campaign';
import { POINTS, type Point } from './rounds';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

test('nothing is lost or doubled when the sync dies at any of its crash points', async () => {
	const said: string[] = [];
	const points = (Object.keys(POINTS) as Point[]).filter((point) => point !== 'any');
	const isFine = await runCampaign(
		{ runs: points.length, seed: 1, points, storeKind: 'postgres', minutes: 10, items: 300, checkEvery: 12, isVerbose: false },
		{ say: (text) => said.push(text), closeLater: (close) => closing.push(close) },
	);
	expect(isFine ? '' : said.join('\n')).toBe('');
	expect(said.at(-1)).toMatch(/^\d+ kills .*0 lost, 0 doubled, invariants hold$/);
}, 600_000);
