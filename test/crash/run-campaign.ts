import { type Random, seededRandom } from '../support/seeded-random';
import { Campaign } from './campaign';
import type { CrashOptions } from './options';
import { POINTS, type Point, ROUNDS } from './rounds';
import { tellProblems } from './story';

export interface Surroundings {
	readonly say: (text: string) => void;
	readonly closeLater: (close: () => Promise<void>) => void;
}

/** How often each is chosen, beside the one time that each is chosen for certain. */
const WEIGHTS: Readonly<Record<Point, number>> = {
	C1: 3, C2: 3, C3: 3, C4: 3, C5: 3, C6: 3, C10: 3, C11: 2, C12: 2, C7: 1, C8: 1, C9: 1, any: 4,
};

type Tally = Map<Point, { rounds: number; reached: number }>;

/** @returns whether nothing was wrong, and every point was reached */
export async function runCampaign(options: CrashOptions, { say, closeLater }: Surroundings): Promise<boolean> {
	const { runs, seed, minutes, items, storeKind, checkEvery } = options;
	const random = seededRandom(seed);
	const started = performance.now();
	say(`seed ${seed}; starting two systems and the store …`);
	const campaign = await Campaign.start({ random, items, storeKind, closeLater });
	say(`first contact is approved, ${seconds(started)} s`);
	const tally: Tally = new Map(options.points.map((point) => [point, { rounds: 0, reached: 0 }]));
	let round = 0;
	let point: Point | 'rest' = 'rest';
	try {
		for (point of plan(options, random)) {
			if ((performance.now() - started) / 60_000 > minutes) break;
			round += 1;
			const counts = tally.get(point) ?? { rounds: 0, reached: 0 };
			counts.rounds += 1;
			const reached = await ROUNDS[point](campaign);
			if (reached) counts.reached += 1;
			if (options.isVerbose) say(`  ${seconds(started)} s: round ${round}, ${point}${reached ? '' : ' was not reached'}`);
			campaign.assertFine();
			if (round % checkEvery === 0 || round === runs) {
				point = 'rest';
				await campaign.rest();
				say(progress(campaign, round, tally, started));
			}
		}
	} catch (error) {
		say(`\nFAIL seed ${seed}, round ${round} (${point}): ${String(error)}`);
		await tellProblems(campaign, say);
		return false;
	}
	return conclude(campaign, tally, say);
}

/** Every point once, in random order, then by weight. */
function plan({ runs, points }: CrashOptions, random: Random): Point[] {
	const bag = points.flatMap((point) => Array<Point>(WEIGHTS[point]).fill(point));
	const left = [...points];
	return Array.from({ length: runs }, () =>
		left.length > 0 ? left.splice(random.below(left.length), 1)[0]! : random.oneOf(bag),
	);
}

function progress({ kills, inspector, users }: Campaign, round: number, tally: Tally, started: number): string {
	const { totals } = inspector;
	const counts = [...tally].map(([point, { reached }]) => `${point} ${reached}`).join(' ');
	return `round ${round}, ${seconds(started)} s: ${kills.workers} workers and ${kills.servers} servers killed; ${users.changes} changes, ${totals.writes} writes, ${totals.overwritten} overwritten; ${counts}`;
}

function conclude(
	{ kills, inspector, gaps }: Campaign,
	tally: Tally,
	say: (text: string) => void,
): boolean {
	const { transactions, writes, overwritten, netZero, links } = inspector.totals;
	say('\npoint  rounds  reached');
	for (const [point, { rounds, reached }] of tally) {
		say(`${point.padEnd(6)} ${String(rounds).padStart(6)}  ${String(reached).padStart(7)}  ${POINTS[point]}`);
	}
	say(
		`\n${transactions} transactions in both logs, ${writes} marked writes, ${overwritten} values of users replaced (${netZero} net zero), ${links} links, ${gaps} declared gaps`,
	);
	const missed = [...tally].filter(([, { reached }]) => reached === 0).map(([point]) => point);
	if (missed.length > 0) {
		say(`FAIL: never reached: ${missed.join(', ')}`);
		return false;
	}
	say(`${kills.workers + kills.servers} kills (${kills.workers} workers, ${kills.servers} servers), 0 lost, 0 doubled, invariants hold`);
	return true;
}

const seconds = (started: number): string => ((performance.now() - started) / 1_000).toFixed(0);
