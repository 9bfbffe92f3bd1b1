/**
 * Takes values from several sources, up to so many at once: each is asked for its next value while others are being worked
 * on. Of one source the values come in its order. Sources that have not come to their end are ended with the loop.
 */
export async function* sideBySide<T>(sources: readonly AsyncGenerator<T, void, undefined>[], atOnce: number): AsyncGenerator<T, void, undefined> {
	const waiting = [...sources];
	const open: Asked<T>[] = [];
	try {
		for (;;) {
			while (open.length < Math.max(1, atOnce)) {
				const next = waiting.shift();
				if (!next) break;
				open.push(ask(next));
			}
			const first = open.shift();
			if (!first) return;
			const { done, value } = await first.answer;
			if (done) continue;
			// Asked again before its value is worked on, and last in the row: each has its turn.
			open.push(ask(first.source));
			yield value;
		}
	} finally {
		// What they were asked for must have come before their sessions are ended.
		await Promise.allSettled(open.map(async ({ answer }) => await answer));
		await Promise.allSettled([...open.map(({ source }) => source), ...waiting].map(async (source) => await source.return()));
	}
}

interface Asked<T> {
	readonly source: AsyncGenerator<T, void, undefined>;
	readonly answer: Promise<IteratorResult<T, void>>;
}

function ask<T>(source: AsyncGenerator<T, void, undefined>): Asked<T> {
	const answer = source.next();
	// It may fail before anybody waits for it; whoever does gets the error.
	answer.catch(() => undefined);
	return { source, answer };
}
