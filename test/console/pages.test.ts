import fc from 'fast-check';

import { bulkDone, bulkPreview } from '../../src/console/bulk';
import { healthPage } from '../../src/console/health-page';
import type { Html } from '../../src/console/html';
import { documentOf, notice } from '../../src/console/layout';
import { ageText, momentText } from '../../src/console/moment';
import { policyPage } from '../../src/console/policy-page';
import { findPage, recordPage } from '../../src/console/record-page';
import type { ReviewModel, ShownRecord } from '../../src/console/review-model';
import { reviewPage } from '../../src/console/review-page';
import { reviewsPage } from '../../src/console/reviews-page';
import { runsPage } from '../../src/console/runs-page';
import type { Check } from '../../src/core/health';
import type { ReconcileRun } from '../../src/core/reconcile-run';
import type { StoredReview } from '../../src/core/review';
import type { SignOffSheet } from '../../src/core/sign-off';
import type { Told } from '../../src/core/told';
import { HOSTILE } from '../support/hostile-text';

const READER = { nowMs: Date.UTC(2026, 10, 21, 12), zone: 'Europe/Berlin' };
const OPENED_MS = Date.UTC(2026, 10, 21, 9);

/** Every place of every page that can hold a text of somebody else's filled with one. */
function pagesWith(text: string): Record<string, Html> {
	const review: StoredReview = { id: `${text}.1`, kind: 'conflict', policy: text, link: text, entity: text, fields: [text, 'b', 'c', text], reason: text, token: text, detail: {}, state: 'resolved', openedAtMs: OPENED_MS, updatedAtMs: OPENED_MS, closedBy: text };
	const version = { value: text, base: text, hadSeen: [text], hadNotSeen: [text] };
	const field = { name: text, rule: text, isSensitive: false, values: { [text]: version, other: { ...version, value: `${text}x` }, third: { ...version, unreadable: text } }, merged: [text], held: { by: text, reason: text } };
	const record: ShownRecord = { link: text, entity: text, keys: { [text]: text }, systems: [text, 'other', 'third', 'fourth'], fields: [field], writing: [text] };
	const told: Told = { seq: '1', atMs: OPENED_MS, fields: [text], tone: 'change', parts: [text, { value: text }, { field: text }, { system: text }, { person: text }, { atMs: OPENED_MS }, { value: null }, { value: '' }] };
	const effect = { system: text, fields: [{ field: text, from: text, to: text }] };
	const offers = (['apply', 'approve', 'reject', 'dismiss', 'retry'] as const).map((kind) => ({ kind, system: text, effects: (['update', 'insert', 'delete', 'waits'] as const).map((what) => ({ ...effect, kind: what })) }));
	const model: ReviewModel = { review, record, payload: { [text]: text }, offers, advice: text, canReveal: true, key: text, history: [told] };
	return {
		reviews: reviewsPage({ reviews: [review, { ...review, state: 'open', fields: [], entity: null, link: null }], filter: { kind: null, state: 'open', page: 3 }, hasMore: true, systems: [text], records: new Map([[review.id, { keys: text, waits: [text] }]]), key: text }, READER).body,
		review: reviewPage(model, READER).body,
		record: recordPage({ record, waiting: { [text]: { id: text, reason: text } }, field: text, history: [told], isCut: true, key: text }, READER).body,
		...otherPagesWith(text, review),
		find: findPage({ sought: text, found: [{ link: text, entity: text, keys: text }], isCut: true }).body,
		none: findPage({ sought: text, found: [], isCut: true }).body,
		notice: notice('bad', text),
	};
}

const document = (text: string, body: Html): string => documentOf({ policy: text, mode: text, person: text, isReader: true }, { title: text, tab: null, body });

function otherPagesWith(text: string, review: StoredReview): Record<string, Html> {
	const choice = { kind: 'apply', system: text } as const;
	const picked = [
		{ review, effects: [{ system: text, kind: 'update' as const, fields: [{ field: text, from: text, to: text }] }], refused: null },
		{ review, effects: [], refused: text },
	];
	const span = { fromMs: 0, toMs: OPENED_MS, zone: 'UTC', gapMs: 1_000 };
	const check: Check = { name: 'lag', system: text, level: 'warning', value: 1, unit: 'seconds', warning: 1, critical: 2, sentence: text, runbook: text };
	const plots = [{ title: text, text: () => text, points: [{ atMs: 1, value: 1 }, { atMs: OPENED_MS, value: 2 }], warning: 1, critical: null }];
	const run: ReconcileRun = { run: text, kind: 'compare', atMs: OPENED_MS, tookMs: 1, systems: [text], differences: 1, records: { [text]: 1 }, byField: [[text, 1]] };
	const sheet: SignOffSheet = { policy: text, version: 1, hash: text, systems: [text], columns: [{ title: text, holds: 'owner' }, { title: text, holds: 'words' }], rows: [{ entity: text, field: text, cells: [text, text] }], signatures: [{ by: text, atMs: OPENED_MS }] };
	const versions = [2, 1].map((version) => ({ version, hash: text, by: text, atMs: OPENED_MS }));
	const compared = { from: 1, to: 2, before: 'before', after: text.replaceAll('\n', ' ') };
	return {
		bulkPreview: bulkPreview({ choice, picked, key: text }).body,
		bulkDone: bulkDone({ choice, done: [review], refused: picked }).body,
		health: healthPage({ health: { policy: text, atMs: OPENED_MS, level: 'warning', summary: text, checks: [check, { ...check, level: 'healthy' }] }, plots, span, measuredMs: OPENED_MS }, READER).body,
		runs: runsPage({ runs: [run], firstContact: { sentence: text, columns: [text], rows: [[text]] }, span }, READER).body,
		policy: policyPage({ sheet, document: text, pending: [text], versions, compared }, READER).body,
	};
}

/** The tags of a page, without their texts: what the browser makes of it. */
const skeleton = (page: string): string => (page.replace(/<style>.*?<\/style>/s, '').match(/<[^>]*>/g) ?? []).map((tag) => tag.replace(/"[^"]*"/g, '""')).join('');

test('no text of a record, a person or a policy can become a part of a page', () => {
	const plain = pagesWith('text');
	fc.assert(
		fc.property(HOSTILE.filter((text) => text.length > 2 && !/^[\s]*$/.test(text)), (text) => {
			for (const [name, page] of Object.entries(pagesWith(text))) {
				const tags = skeleton(document(text, page)).replaceAll('<mark>', '').replaceAll('</mark>', '');
				expect(tags).toBe(skeleton(document('text', plain[name] ?? page)).replaceAll('<mark>', '').replaceAll('</mark>', ''));
			}
		}),
		{ numRuns: 80 },
	);
});

test('every input has a name that is read out, and every page one heading', () => {
	for (const page of Object.values(pagesWith('text'))) {
		const whole = document('text', page);
		expect(whole.match(/<h1>/g)).toHaveLength(1);
		for (const [input] of whole.matchAll(/<input (?!type="hidden")[^>]*>/g)) {
			const id = /id="([^"]*)"/.exec(input)?.[1];
			const isLabelled = input.includes('aria-label=') || whole.includes(`<label>${input}`) || (id !== undefined && whole.includes(`<label for="${id}">`));
			expect([input, isLabelled]).toEqual([input, true]);
		}
	}
});

test('times say their zone, and ages are short', () => {
	expect(momentText(OPENED_MS, 'Europe/Berlin')).toBe('2026-11-21 10:00:00 Europe/Berlin');
	expect([0, 59_000, 61_000, 3_700_000, 90_000_000].map((ms) => ageText(0, ms))).toEqual(['now', 'now', '1 min', '1 h', '1 d']);
	expect(ageText(1_000, 0)).toBe('now');
});

test('ten thousand waiting items do not make a page slow', () => {
	const [review] = [{ id: 'a.1', kind: 'conflict', policy: 'p', link: 'a', entity: 'customer', fields: ['phone'], reason: 'r', token: 't', detail: {}, state: 'open', openedAtMs: OPENED_MS, updatedAtMs: OPENED_MS, closedBy: null } as const satisfies StoredReview];
	const { body } = reviewsPage({ reviews: Array.from({ length: 50 }, () => review), filter: { kind: null, state: 'open', page: 199 }, hasMore: true, systems: ['crm', 'billing'], records: new Map(), key: 'k' }, READER);
	expect(body.text.length).toBeLessThan(40_000);
});
