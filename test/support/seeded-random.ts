/** Random choices that come again with the same seed. */
export interface Random {
	/** A whole number from 0 to `below` - 1. */
	below(below: number): number;
	/** @throws Error when there is nothing to choose from */
	oneOf<T>(choices: readonly T[]): T;
	/** True once in `times`. */
	oneIn(times: number): boolean;
	/** Another row of random numbers, so that the use of the one does not shift the other. */
	fork(): Random;
}

/** @param seed - 1 to 2^31 - 2 */
export function seededRandom(seed: number): Random {
	const next = wholeNumbers(seed);
	const below = (limit: number): number => next() % limit;
	return {
		below,
		oneOf: (choices) => {
			if (choices.length === 0) throw new Error('there is nothing to choose from');
			return choices[below(choices.length)]!;
		},
		oneIn: (times) => below(times) === 0,
		fork: () => seededRandom(next() || 1),
	};
}

/** Whole numbers from 0 to 2^31 - 1, the same ones for the same seed (Park and Miller's generator). */
export function wholeNumbers(seed: number): () => number {
	let state = seed;
	return () => (state = (state * 48_271) % 2_147_483_647);
}
