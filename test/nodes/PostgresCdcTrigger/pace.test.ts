import { Pace } from '../../../nodes/PostgresCdcTrigger/pace';

const LIMITS = { maxWaitMs: 100, maxChanges: 1_000 };

/** Changes come every `everyMs` for `durationMs`, and an execution takes 60 ms. */
function simulate({
	everyMs,
	durationMs,
	perChange = 1,
}: {
	everyMs: number;
	durationMs: number;
	perChange?: number;
}): {
	executions: number;
	worstWaitMs: number;
} {
	const pace = new Pace(LIMITS);
	const arrivals = Array.from({ length: Math.floor(durationMs / everyMs) }, (_, i) => i * everyMs);
	let nowMs = 0;
	let executions = 0;
	let worstWaitMs = 0;
	while (arrivals.length > 0) {
		nowMs = Math.max(nowMs, arrivals[0]!);
		const waitedMs = pace.waitMs(nowMs);
		worstWaitMs = Math.max(worstWaitMs, waitedMs);
		nowMs += waitedMs;
		const taken = arrivals.filter((atMs) => atMs <= nowMs).length;
		arrivals.splice(0, taken);
		nowMs += 60;
		executions += 1;
		pace.ran({ changes: taken * perChange, waitedMs, nowMs });
	}
	return { executions, worstWaitMs };
}

test('a change after a quiet second is not held back', () => {
	const pace = new Pace(LIMITS);
	expect(pace.waitMs(0)).toBe(0);
	pace.ran({ changes: 1, waitedMs: 0, nowMs: 60 });
	expect(pace.waitMs(1_060)).toBe(0);
	expect(pace.waitMs(1_059)).toBe(100);
});

test('a trickle of single changes costs two executions a second, and none waits longer than half a second', () => {
	const { executions, worstWaitMs } = simulate({ everyMs: 50, durationMs: 20_000 });
	expect(executions).toBeLessThan(2 * 20 + 5);
	expect(worstWaitMs).toBe(500);
});

test('changes that come by the hundred wait no longer than the set time', () => {
	expect(simulate({ everyMs: 1, durationMs: 5_000, perChange: 3 }).worstWaitMs).toBe(100);
});

test('with no wait allowed there is none', () => {
	const pace = new Pace({ maxWaitMs: 0, maxChanges: 10 });
	pace.ran({ changes: 1, waitedMs: 0, nowMs: 0 });
	expect(pace.waitMs(1)).toBe(0);
});
