import fc from 'fast-check';

import type { Health, HealthLevel } from '../../src/core/health';
import { tellOnce, type Told } from '../../src/core/health-alerts';

const MINUTE = 60_000;
const TIMING = { remindMs: 240 * MINUTE, calmMs: 5 * MINUTE };

function health(level: HealthLevel, atMinute: number, checks: readonly string[] = level === 'healthy' ? [] : ['lag']): Health {
	const bad = checks.map((name) => ({ name, system: null, level, value: 1, unit: 'count', warning: 1, critical: 2, sentence: '', runbook: '' }));
	return { policy: 'p', atMs: atMinute * MINUTE, level, summary: '', checks: bad as never };
}

/** What is told of each of these looks. */
function tell(...looks: readonly Health[]): (string | null)[] {
	let told: Told | null = null;
	return looks.map((look) => {
		const telling = tellOnce(told, look, TIMING);
		told = telling.told;
		return telling.news;
	});
}

test('what gets worse is told at once, and once', () => {
	expect(tell(health('healthy', 0), health('warning', 1), health('warning', 2), health('critical', 3), health('critical', 4))).toEqual([null, 'worse', null, 'worse', null]);
});

test('the first look tells of trouble, and not of its absence', () => {
	expect([tell(health('critical', 0)), tell(health('healthy', 0))]).toEqual([['worse'], [null]]);
});

test('a new trouble of the same level is told', () => {
	expect(tell(health('warning', 0), health('warning', 1, ['lag', 'drift']), health('warning', 2, ['drift']), health('warning', 3, ['lag']))).toEqual(['worse', 'worse', null, null]);
});

test('of a critical policy, a warning more is no news', () => {
	const both = health('critical', 1, ['lag']);
	const warning = { ...both.checks[0]!, name: 'drift' as const, level: 'warning' as const };
	expect(tell(health('critical', 0), { ...both, checks: [...both.checks, warning] })).toEqual(['worse', null]);
});

test('what is better is told when it has lasted', () => {
	expect(tell(health('critical', 0), health('healthy', 1), health('healthy', 5), health('healthy', 6), health('healthy', 7))).toEqual(['worse', null, null, 'better', null]);
});

test('a relapse on the way is no news', () => {
	expect(tell(health('critical', 0), health('healthy', 1), health('critical', 4), health('healthy', 5), health('healthy', 9), health('healthy', 10))).toEqual(['worse', null, null, null, null, 'better']);
});

test('what stays bad is told again after hours', () => {
	expect(tell(health('warning', 0), health('warning', 239), health('warning', 240), health('warning', 241))).toEqual(['worse', null, 'reminder', null]);
	const never = tellOnce(tellOnce(null, health('warning', 0), TIMING).told, health('warning', 9_999), { ...TIMING, remindMs: 0 });
	expect(never.news).toBeNull();
});

test('however it goes up and down, looks at each minute of a day send few messages, and the last level is known in the end', () => {
	const levels = fc.array(fc.constantFrom<HealthLevel>('healthy', 'warning', 'critical'), { minLength: 1, maxLength: 300 });
	fc.assert(
		fc.property(levels, (all) => {
			const calm = Array.from({ length: 6 }, () => all.at(-1) ?? 'healthy');
			const looks = [...all, ...calm].map((level, minute) => health(level, minute));
			let told: Told | null = null;
			let messages = 0;
			for (const look of looks) {
				const telling = tellOnce(told, look, TIMING);
				told = telling.told;
				if (telling.news !== null) messages += 1;
				// Nobody is left believing that it is better than it is.
				const order = ['healthy', 'warning', 'critical'];
				expect(order.indexOf(told.level)).toBeGreaterThanOrEqual(order.indexOf(look.level));
			}
			expect(told?.level).toBe(all.at(-1));
			expect(messages).toBeLessThanOrEqual(3 + (2 * looks.length) / 5);
		}),
	);
});
