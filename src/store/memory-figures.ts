import type { LinkState } from '../core/link';
import type { StoredReview } from '../core/review';
import { copyOf, type PolicyData } from './memory-data';
import { type FiguresRequest, KEPT_MS, MAX_DUE_COUNTED, MAX_WAITING, type Sample, type SampleFilter, type StoreFigures, type WaitingLink } from './store-figures';

export function figuresOf(data: PolicyData, { afterSeq }: FiguresRequest, nowMs: number): StoreFigures {
	const due = [...data.links.values()].filter((link) => link.due);
	const waiting = due.map(({ state, wakeAtMs, wakes }): WaitingLink => ({ wakeAtMs, wakes, inFlight: Object.keys((JSON.parse(state) as LinkState).inFlight).sort() }));
	waiting.sort((a, b) => b.wakes - a.wakes || a.wakeAtMs - b.wakeAtMs);
	return {
		nowMs,
		due: { count: Math.min(due.length, MAX_DUE_COUNTED), waiting: waiting.slice(0, MAX_WAITING) },
		reviews: reviewCounts([...data.reviews.values()].filter(({ state }) => state === 'open')),
		journal: journalCounts(data.journal, afterSeq),
	};
}

function reviewCounts(open: readonly StoredReview[]): StoreFigures['reviews'] {
	const kinds = [...new Set(open.map(({ kind }) => kind))].sort();
	return kinds.map((kind) => {
		const times = open.filter((review) => review.kind === kind).map(({ openedAtMs }) => openedAtMs);
		return { kind, count: times.length, oldestAtMs: Math.min(...times) };
	});
}

function journalCounts(journal: PolicyData['journal'], afterSeq: string | undefined): StoreFigures['journal'] {
	const lastSeq = journal.at(-1)?.seq ?? afterSeq ?? '0';
	if (afterSeq === undefined) return { lastSeq, counts: {} };
	const counts: Record<string, number> = {};
	for (const { seq, entry } of journal) if (BigInt(seq) > BigInt(afterSeq)) counts[entry.kind] = (counts[entry.kind] ?? 0) + 1;
	return { lastSeq, counts };
}

export function keptSamples(known: readonly Sample[] = [], given: readonly Sample[], nowMs: number): readonly Sample[] {
	const byPlace = new Map([...known, ...copyOf(given)].map((sample) => [placeOf(sample), sample]));
	return [...byPlace.values()].filter(({ grain, atMs }) => grain === 'last' || atMs >= nowMs - KEPT_MS[grain]);
}

export function selectSamples(all: readonly Sample[] = [], { grain, series, fromMs = 0 }: SampleFilter): readonly Sample[] {
	const wanted = all.filter((sample) => sample.grain === grain && (series === undefined || sample.series === series) && sample.atMs >= fromMs);
	return copyOf(wanted.sort((a, b) => (a.series === b.series ? a.atMs - b.atMs : a.series < b.series ? -1 : 1)));
}

const placeOf = ({ series, grain, atMs }: Sample): string => JSON.stringify([series, grain, atMs]);
