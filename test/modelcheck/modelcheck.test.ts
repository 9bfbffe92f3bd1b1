import { search } from './search';
import { FAULTY, GOOD } from './variants';

/** Worlds that are searched in a second or two; `npm run modelcheck` searches all of them. */
const SMALL = [
	'a1',
	'a1|b1 · batch 1',
	'a1|b1 · batch 3, 1 crash',
	'insert',
	'two triggers that fight',
];
const MAX_STATES = 200_000;

test.each(GOOD.filter(({ name }) => SMALL.includes(name)))(
	'$name comes to rest from every state, with every invariant kept',
	(setup) => {
		const { verdict, problem } = search(setup, MAX_STATES);
		expect({ verdict, problem }).toEqual({ verdict: 'OK', problem: null });
	},
);

test.each(FAULTY)('built wrong ($name), it is caught, and the way there is told', (setup) => {
	const { problem, timeline } = search(setup, MAX_STATES);
	expect(problem).not.toBeNull();
	expect(timeline.length).toBeGreaterThan(0);
});
