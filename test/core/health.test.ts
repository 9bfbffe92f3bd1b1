import { existsSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';

import { type Check, type CheckName, judgeHealth } from '../../src/core/health';
import { bytesText, durationText } from '../../src/core/health-check';
import type { HealthFigures, LagFigures, Measurement, SlotFigures } from '../../src/core/health-figures';
import { DEFAULT_THRESHOLDS } from '../../src/core/health-thresholds';
import { prometheusText } from '../../src/core/prometheus';

const NOW = 1_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const GIB = 1024 ** 3;

const SLOT: SlotFigures = { name: 'bisync_crm', isThere: true, isActive: true, idleSinceMs: null, walStatus: 'reserved', lostBecause: null, retainedBytes: 1_000, safeBytes: null };
const LAG: LagFigures = { ms: 400, open: null, bytes: 0 };
const MEASURED: Measurement = { atMs: NOW, failure: null, lastGoodMs: NOW, slot: SLOT, lag: LAG };
const GOOD: HealthFigures = {
	policy: 'crm-billing',
	nowMs: NOW,
	mode: 'live',
	systems: [{ system: 'crm', hasLog: true, measured: MEASURED }],
	pending: [],
	queue: { count: 0, oldestMs: null },
	unsettled: { crm: { count: 0, oldestMs: null } },
	reviews: [],
	gaps: [],
	traffic: { overMs: HOUR, foreign: 1_000, conflicts: 1, writes: 900 },
	compared: { atMs: NOW - HOUR, differences: 0 },
};

const measured = (changes: Partial<Measurement>): Partial<HealthFigures> => ({ systems: [{ system: 'crm', hasLog: true, measured: { ...MEASURED, ...changes } }] });
const slot = (changes: Partial<SlotFigures>): Partial<HealthFigures> => measured({ slot: { ...SLOT, ...changes } });
const judged = (changes: Partial<HealthFigures> = {}) => judgeHealth({ ...GOOD, ...changes });

function checkOf(name: CheckName, changes: Partial<HealthFigures>): Check {
	const found = judged(changes).checks.find((check) => check.name === name);
	if (!found) throw new Error(`there is no check ${name}`);
	return found;
}

test('a sync of which everything is known and good is healthy', () => {
	const health = judged();
	expect(health.checks.filter(({ level }) => level !== 'healthy')).toEqual([]);
	expect(health).toMatchObject({ level: 'healthy', summary: expect.stringContaining('crm-billing is healthy') });
});

test.each<[string, CheckName, Check['level'], Partial<HealthFigures>]>([
	['a heartbeat that took a minute', 'lag', 'warning', measured({ lag: { ...LAG, ms: MINUTE } })],
	['a heartbeat that has not arrived for five minutes', 'lag', 'critical', measured({ lag: { ms: 0, open: { lsn: '0/1', sinceMs: NOW - 5 * MINUTE }, bytes: 0 } })],
	['a gigabyte of log that is not observed', 'lag-bytes', 'critical', measured({ lag: { ...LAG, bytes: GIB } })],
	['a slot that keeps a gigabyte', 'slot-bytes', 'warning', slot({ retainedBytes: GIB })],
	['a slot that keeps five', 'slot-bytes', 'critical', slot({ retainedBytes: 5 * GIB })],
	['a slot that keeps little, with less than half of the room left', 'slot-room', 'warning', slot({ retainedBytes: 60_000, safeBytes: 40_000 })],
	['with less than a fifth left', 'slot-room', 'critical', slot({ retainedBytes: 900, safeBytes: 100 })],
	['with nothing left', 'slot-room', 'critical', slot({ safeBytes: -5 })],
	['a slot whose log may go at any moment', 'slot-state', 'critical', slot({ walStatus: 'unreserved' })],
	['a slot that is lost', 'slot-state', 'critical', slot({ walStatus: 'lost' })],
	['a slot that the server has given up', 'slot-state', 'critical', slot({ lostBecause: 'idle_timeout' })],
	['a slot that is gone', 'slot-state', 'critical', slot({ isThere: false, isActive: false })],
	['a slot that nobody reads', 'slot-state', 'warning', slot({ isActive: false, idleSinceMs: NOW })],
	['a slot that nobody has read for a quarter of an hour', 'slot-state', 'critical', slot({ isActive: false, idleSinceMs: NOW - 15 * MINUTE })],
	['a record that waits for a quarter of an hour', 'queue-age', 'warning', { queue: { count: 1, oldestMs: 15 * MINUTE } }],
	['many records that wait', 'queue-depth', 'warning', { queue: { count: 10_000, oldestMs: 1 } }],
	['a write that nobody has heard of for an hour', 'unsettled-age', 'critical', { unsettled: { crm: { count: 1, oldestMs: HOUR } } }],
	['a question that waits for a day', 'review-age', 'warning', { reviews: [{ kind: 'conflict', count: 2, oldestMs: 24 * HOUR }] }],
	['many conflicts', 'conflicts', 'warning', { traffic: { overMs: HOUR, foreign: 100, conflicts: 2, writes: 0 } }],
	['a loop', 'writes', 'critical', { traffic: { overMs: HOUR, foreign: 100, conflicts: 0, writes: 1_000 } }],
	['differences', 'parity', 'warning', { compared: { atMs: NOW, differences: 3 } }],
	['a comparison of last week', 'parity', 'unknown', { compared: { atMs: NOW - 168 * HOUR, differences: 0 } }],
	['no comparison ever', 'parity', 'unknown', { compared: null }],
	['a column that waits', 'drift', 'warning', { pending: ['customer email crm'] }],
	['a gap', 'gaps', 'critical', { gaps: [{ system: 'crm', sinceMs: NOW - HOUR }] }],
	['a policy that is stopped', 'mode', 'warning', { mode: 'stopped' }],
	['traffic that nobody counted', 'writes', 'unknown', { traffic: null }],
])('%s: %s is %s', (_, name, level, changes) => {
	expect(checkOf(name, changes).level).toBe(level);
	expect(judged(changes).level).toBe(level === 'critical' ? 'critical' : 'warning');
});

describe('what is not heard of is never green', () => {
	test.each<[string, Measurement | null]>([
		['was never measured', null],
		['was measured too long ago', { ...MEASURED, atMs: NOW - 6 * MINUTE }],
		['could not be measured', { ...MEASURED, failure: 'Cannot reach the database', lastGoodMs: NOW - MINUTE }],
		['was measured without its lag', { ...MEASURED, lag: null }],
	])('a system that %s is a warning', (_, one) => {
		const health = judged({ systems: [{ system: 'crm', hasLog: true, measured: one }] });
		expect(health.level).toBe('warning');
		expect(health.checks.filter(({ level }) => level === 'unknown').map(({ name }) => name)).toEqual(['lag', 'slot-state']);
	});

	test('and critical when it lasts', () => {
		expect(judged(measured({ failure: 'Cannot reach the database', lastGoodMs: NOW - 16 * MINUTE })).level).toBe('critical');
	});

	test('a system behind an API has neither log nor slot', () => {
		expect(judged({ systems: [{ system: 'crm', hasLog: false, measured: null }] }).level).toBe('healthy');
	});

	test('whatever figure is taken away, no check gets better', () => {
		const bad = fc.constantFrom<Partial<HealthFigures>>({ traffic: null }, { compared: null }, { systems: [{ system: 'crm', hasLog: true, measured: null }] }, measured({ slot: null }), measured({ lag: null }));
		fc.assert(fc.property(bad, (changes) => judged(changes).level !== 'healthy'));
	});
});

test('few changes are no rate', () => {
	expect(judged({ traffic: { overMs: HOUR, foreign: 3, conflicts: 3, writes: 40 } }).level).toBe('healthy');
});

test('the worst comes first, and the summary says it', () => {
	const health = judged({ mode: 'stopped', gaps: [{ system: 'crm', sinceMs: NOW - HOUR }] });
	expect(health.checks[0]).toMatchObject({ name: 'gaps', level: 'critical' });
	expect(health.summary).toBe('Critical for the sync crm-billing: Changes of crm may be missing since 60 minutes ago; the trigger waits for a person to agree. 1 more check is not good.');
});

test('nobody is asked to compare where it is turned off', () => {
	expect(judgeHealth({ ...GOOD, compared: null }, { ...DEFAULT_THRESHOLDS, comparedMs: 0 }).level).toBe('healthy');
});

test('every check is one sentence, and its page is there', () => {
	for (const changes of [{}, slot({ safeBytes: 1e9 }), measured({ failure: 'x' })]) {
		for (const { sentence, runbook } of judged(changes).checks) {
			expect(sentence).toMatch(/^[^\n]+\.$/);
			expect([runbook, existsSync(join(__dirname, '../..', runbook))]).toEqual([runbook, true]);
		}
	}
});

test.each([
	[400, '0.4 seconds'],
	[59_000, '59 seconds'],
	[180_000, '3 minutes'],
	[2 * HOUR, '2 hours'],
	[72 * HOUR, '3 days'],
])('%d ms are %s', (ms, text) => expect(durationText(ms)).toBe(text));

test('bytes are said in what people count in', () => {
	expect([bytesText(12), bytesText(2_048), bytesText(1.5 * GIB)]).toEqual(['12 bytes', '2 kB', '1.5 GB']);
});

/** The grammar of "Exposition formats", version 0.0.4, for gauges; throws where a line does not fit. */
function parseMetrics(text: string): { name: string; labels: Record<string, string>; value: number }[] {
	expect(text.endsWith('\n')).toBe(true);
	const typed = new Set<string>();
	const closed = new Set<string>();
	let current = '';
	return text.slice(0, -1).split('\n').flatMap((line) => {
		const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line);
		if (comment?.[1] === 'TYPE') {
			const name = comment[2] ?? '';
			if (comment[3] !== 'gauge' || typed.has(name)) throw new Error(`wrong type line ${line}`);
			typed.add(name);
		}
		if (comment) return [];
		const [, name = '', body = '', value = ''] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\"n])*",?)*)\} (\S+)$/.exec(line) ?? [];
		if (!typed.has(name)) throw new Error(`no metric line: ${line}`);
		// All lines of a metric must stand together.
		if (name !== current && closed.has(name)) throw new Error(`${name} stands in two places`);
		closed.add(name);
		current = name;
		return [{ name, labels: parseLabels(body), value: parseNumber(value) }];
	});
}

function parseNumber(text: string): number {
	const number = { '+Inf': Infinity, '-Inf': -Infinity }[text] ?? Number(text);
	if (text !== 'NaN' && Number.isNaN(number)) throw new Error(`no number: ${text}`);
	return number;
}

function parseLabels(body: string): Record<string, string> {
	const pairs = [...body.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"/g)];
	const plain = (text: string): string => text.replaceAll(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
	return Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, plain(text)]));
}

describe('for Prometheus', () => {
	test('every known figure has a line, and what is unknown only its level', () => {
		const metrics = parseMetrics(prometheusText(judged({ traffic: null })));
		const of = (name: string) => metrics.filter((metric) => metric.name === name);
		expect(of('bisync_lag_seconds')).toEqual([{ name: 'bisync_lag_seconds', labels: { policy: 'crm-billing', system: 'crm' }, value: 0.4 }]);
		expect(of('bisync_writes_per_change')).toEqual([]);
		expect(metrics).toContainEqual({ name: 'bisync_check_level', labels: { policy: 'crm-billing', check: 'writes' }, value: 1 });
		expect(of('bisync_health_level')).toMatchObject([{ value: 1 }]);
		expect(of('bisync_up')).toMatchObject([{ value: 1 }]);
	});

	test('any name and number can be read back as it was', () => {
		const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[\\"\n{},= a]*$/)).filter((one) => !/[\r\u2028\u2029\u0085\v\f]/.test(one));
		fc.assert(
			fc.property(text, text, fc.double(), (policy, system, bytes) => {
				const health = judgeHealth({ ...GOOD, policy, systems: [{ system, hasLog: true, measured: { ...MEASURED, lag: { ...LAG, bytes } } }] });
				const lines = parseMetrics(prometheusText(health));
				const found = lines.find(({ name }) => name === 'bisync_lag_bytes');
				expect(found?.labels).toEqual({ policy, system });
				expect(found?.value).toEqual(bytes === 0 ? 0 : bytes);
			}),
		);
	});
});
