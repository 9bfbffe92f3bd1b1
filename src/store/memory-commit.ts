import { canonicalJson } from '../core/canonical-json';
import type { StoredJournalEntry } from '../core/journal';
import type { LinkState } from '../core/link';
import type { Position } from '../core/position';
import { keyText, matchText } from './identity-text';
import { copyOf, type LinkRecord, type PolicyData } from './memory-data';
import { changedReviews } from './memory-reviews';
import { spread } from './memory-spread';
import { streamGap, streamUnknown } from './stream-errors';
import type { CommitRequest, CommitResult, LinkCommit, StreamAdvance } from './sync-store';

interface CommitTime {
	readonly nowMs: number;
	/** When a link that is left due is first offered to the sweep. */
	readonly wakeAtMs: number;
}

/**
 * The commit rule. Judged as a whole before anything is written, so that the outcome of one link
 * does not depend on where in the request it stands:
 *
 * 1. A link loses when its revision has moved, or an earlier commit of the request has its id.
 * 2. Of the rest, a link loses when a key it did not have before is one that another link of the
 *    same or a later generation has, or claims earlier in the request; and when another link holds
 *    one of its match keys, or claims it earlier in the request.
 * 3. Of links that are committed together, all lose when one does; they may take keys from anybody,
 *    and match keys that another of them gives up.
 *
 * @throws SyncError STREAM_GAP, STREAM_UNKNOWN: nothing was committed
 */
export function commitTo(
	data: PolicyData,
	request: CommitRequest,
	time: CommitTime,
): { data: PolicyData; result: CommitResult } {
	const { policy, links, advance, together = false } = request;
	if (advance) requireContiguous(data, policy, advance);
	const judged = losers(data, links, together);
	const lost = together && judged.size > 0 ? new Set(links.keys()) : judged;
	const won = links.filter((_, index) => !lost.has(index));
	const written = write(data, { won, together }, time);
	const { data: committed, woken } = spread(written, { won, asked: links }, time.wakeAtMs);
	const stops = links.filter((_, index) => lost.has(index)).map(({ stopAt }) => stopAt);
	const streams = advance ? advanced(data.streams, advance, stops) : data.streams;
	const outcome = (_: LinkCommit, index: number) => (lost.has(index) ? 'conflict' : 'committed');
	const position = advance ? (streams.get(advance.system)?.position ?? null) : null;
	return { data: { ...committed, streams }, result: { links: links.map(outcome), position, woken } };
}

function requireContiguous(data: PolicyData, policy: string, advance: StreamAdvance): void {
	const stream = data.streams.get(advance.system);
	if (!stream) throw streamUnknown({ policy, system: advance.system });
	if (stream.position < advance.from) throw streamGap(policy, advance, stream.position);
}

function advanced(
	streams: PolicyData['streams'],
	{ system, from, to }: StreamAdvance,
	stops: readonly (Position | null)[],
): PolicyData['streams'] {
	const stream = streams.get(system);
	if (!stream) return streams;
	const reached = stops.reduce<Position>((first, stop) => earlier(first, stop ?? from), to);
	if (reached <= stream.position) return streams;
	return new Map(streams).set(system, { ...stream, position: reached });
}

const earlier = (a: Position, b: Position): Position => (a < b ? a : b);

/** The places in the request of the commits that lose. */
function losers(data: PolicyData, links: readonly LinkCommit[], together: boolean): Set<number> {
	const lost = new Set<number>();
	const met = new Set<string>();
	links.forEach(({ state, expectedRevision }, index) => {
		const revision = data.links.get(state.id)?.revision ?? 0;
		if (met.has(state.id) || revision !== expectedRevision) lost.add(index);
		met.add(state.id);
	});
	const judge = new IdentityJudge(data, together ? releasesOf(links) : null);
	const inTheRunning = links.map((_, index) => index).filter((index) => !lost.has(index));
	for (const index of inTheRunning) {
		const link = links[index];
		if (link && judge.isTaken(link)) lost.add(index);
	}
	return lost;
}

/** Remembers what the commits before claimed, whether they win or not. */
class IdentityJudge {
	readonly #generationByKey = new Map<string, number>();
	readonly #linkByMatch = new Map<string, string>();

	constructor(
		readonly data: PolicyData,
		/** By links that are committed together; null: each is committed for itself. */
		readonly released: ReadonlySet<string> | null,
	) {}

	isTaken({ state, claims }: LinkCommit): boolean {
		const wanted = this.released ? [] : newKeys(this.data, state);
		const keys = wanted.map((text) => this.#isKeyTaken(text, state));
		const matches = claims.map((match) =>
			this.#isMatchTaken(matchText({ ...state, match }), state.id),
		);
		return [...keys, ...matches].includes(true);
	}

	#isKeyTaken(text: string, { id, generation }: LinkState): boolean {
		const claimed = this.#generationByKey.get(text) ?? -Infinity;
		this.#generationByKey.set(text, Math.max(claimed, generation));
		const holder = this.data.keys.get(text);
		if (claimed >= generation) return true;
		if (!holder || holder.link === id || holder.generation < generation) return false;
		return keysOf(previousState(this.data, holder.link)).includes(text);
	}

	#isMatchTaken(text: string, id: string): boolean {
		const held = this.data.matches.get(text) ?? id;
		const holder = this.released?.has(releaseText(text, held)) ? id : held;
		const claimant = this.#linkByMatch.get(text) ?? id;
		this.#linkByMatch.set(text, claimant);
		return holder !== id || claimant !== id;
	}
}

/** Which link gives which match key up. */
function releasesOf(links: readonly LinkCommit[]): Set<string> {
	const texts = links.flatMap(({ state, releases = [] }) =>
		releases.map((match) => releaseText(matchText({ ...state, match }), state.id)),
	);
	return new Set(texts);
}

const releaseText = (match: string, link: string): string => canonicalJson([match, link]);

/** A link keeps the keys it has even after a newer generation took them over. */
function newKeys(data: PolicyData, state: LinkState): string[] {
	const before = new Set(keysOf(previousState(data, state.id)));
	return keysOf(state).filter((text) => !before.has(text));
}

function previousState(data: PolicyData, id: string): LinkState | null {
	const record = data.links.get(id);
	return record ? (JSON.parse(record.state) as LinkState) : null;
}

function keysOf(state: LinkState | null): string[] {
	if (!state) return [];
	const { entity, keys } = state;
	return Object.entries(keys).map(([system, key]) => keyText({ system, entity, key }));
}

function write(
	data: PolicyData,
	{ won, together }: { won: readonly LinkCommit[]; together: boolean },
	time: CommitTime,
): PolicyData {
	const links = new Map(data.links);
	const matches = new Map(data.matches);
	for (const link of won) {
		links.set(link.state.id, recordOf(link, data.links.get(link.state.id), time));
		for (const match of link.releases ?? []) release(matches, { ...link.state, match });
		for (const match of link.claims)
			matches.set(matchText({ ...link.state, match }), link.state.id);
	}
	const reviews = changedReviews(
		data.reviews,
		won.flatMap((link) => link.reviews),
		time.nowMs,
	);
	return {
		...data,
		links,
		matches,
		keys: takenKeys(data, won, together),
		reviews,
		journal: extended(data, won, time),
	};
}

function release(
	matches: Map<string, string>,
	key: { entity: string; match: string; id: string },
): void {
	const text = matchText(key);
	if (matches.get(text) === key.id) matches.delete(text);
}

function recordOf(link: LinkCommit, before: LinkRecord | undefined, time: CommitTime): LinkRecord {
	const { state, expectedRevision, due, claims, releases = [] } = link;
	const kept = (before?.matches ?? []).filter((match) => !releases.includes(match));
	return {
		state: canonicalJson(state),
		revision: expectedRevision + 1,
		due,
		wakeAtMs: due ? time.wakeAtMs : 0,
		wakes: 0,
		unattempted: 0,
		matches: [...new Set([...kept, ...claims])].sort(),
	};
}

/** A key leads to the last link that took it, even when that link has another key by now. */
function takenKeys(data: PolicyData, won: readonly LinkCommit[], together: boolean): PolicyData['keys'] {
	const keys = new Map(data.keys);
	const taken = won.flatMap((link) => keysTaken(data, link, together).map((text) => ({ text, ...link.state })));
	taken.sort((a, b) => a.generation - b.generation);
	for (const { text, id, generation } of taken) keys.set(text, { link: id, generation });
	return keys;
}

function keysTaken(data: PolicyData, { state, yields = [] }: LinkCommit, together: boolean): string[] {
	if (!together) return newKeys(data, state);
	const kept = Object.entries(state.keys).filter(([system]) => !yields.includes(system));
	return keysOf({ ...state, keys: Object.fromEntries(kept) });
}

function extended(
	data: PolicyData,
	won: readonly LinkCommit[],
	{ nowMs }: CommitTime,
): PolicyData['journal'] {
	const journal: StoredJournalEntry[] = [...data.journal];
	for (const { state, expectedRevision, journal: entries } of won) {
		for (const entry of entries) {
			const seq = String(journal.length + 1);
			const place = { seq, link: state.id, revision: expectedRevision + 1, atMs: nowMs };
			journal.push({ ...place, entry: copyOf(entry) });
		}
	}
	return journal;
}
