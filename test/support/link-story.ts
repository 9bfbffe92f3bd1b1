import type { ChangeEvent } from '../../src/core/change-event';
import { decide } from '../../src/core/decide';
import { openReviews } from '../../src/core/draft';
import { hold } from '../../src/core/hold';
import type { JournalEntry, PolicyMode } from '../../src/core/journal';
import { emptyLink, type LinkState, type Operation, type View } from '../../src/core/link';
import type { Row } from '../../src/core/mapping';
import type { Outcome } from '../../src/core/marker';
import { observe, type Disposition, type PolicyInForce } from '../../src/core/observe';
import { lsnOfPosition, positionOf } from '../../src/core/position';
import { foldEvents } from '../../src/core/fold-events';
import { columnsShown } from '../../src/core/older-row';
import type { RecordChange } from '../../src/core/record-change';
import type { ReplayedEntry } from '../../src/core/replay';
import { resolve, type Choice } from '../../src/core/resolve';
import type { ReviewItem } from '../../src/core/review';
import { EventFeed } from './event-feed';
import { SIMULATED_ENTITY, SIMULATED_POLICY } from './simulated-policy';

export const MAC_KEY = 'the key of the tests';

/**
 * One link's life, told step by step through the pure core alone: what users do to its rows,
 * what is decided, what becomes of the operations. No store, no batches, no clock.
 */
export class LinkStory {
	state: LinkState;
	/** All entries of the link, its creation first: what `replay` reads. */
	readonly journal: ReplayedEntry[] = [];
	/** By system, the row as it stands there. */
	readonly rows: Record<string, Row> = {};
	readonly #feeds = new Map<string, EventFeed>();

	constructor(
		readonly policy: PolicyInForce,
		readonly id = 'link-1',
	) {
		this.state = emptyLink(id, SIMULATED_ENTITY, 1);
		const [by = ''] = policy.policy.systems;
		this.#note([
			{ kind: 'created', generation: 1, entity: SIMULATED_ENTITY, by, ambiguous: false },
		]);
	}

	/** A record that the first system made and that all have by now, with `ref` r1 and these values. */
	static linked(policy: PolicyInForce, values: Row): LinkStory {
		const story = new LinkStory(policy);
		const [first = ''] = policy.policy.systems;
		story.insert(first, { ref: 'r1', ...values });
		story.pump();
		return story;
	}

	feed(system: string): EventFeed {
		const feed = this.#feeds.get(system) ?? new EventFeed(system, 'id', SIMULATED_ENTITY);
		this.#feeds.set(system, feed);
		return feed;
	}

	/** Goes on with the stream of another story. */
	follow(system: string, story: LinkStory): void {
		this.#feeds.set(system, story.feed(system));
	}

	/** R1 over events as they are; the disposition of the last one. */
	observe(...events: readonly ChangeEvent[]): Disposition {
		let last: Disposition = 'unchanged';
		for (const folded of foldEvents(events, MAC_KEY)) {
			const change = folded.restoredTo === undefined ? folded : { ...folded, shown: columnsShown(folded, this.#observed(folded.system)) };
			const { state, disposition, journal } = observe(this.state, change, this.policy);
			this.state = state;
			this.#note(journal);
			last = disposition;
		}
		return last;
	}

	/** A user's new row, its id the system's name and a number. */
	insert(system: string, values: Row): Disposition {
		const row = { id: `${system}-1`, ...values };
		this.rows[system] = row;
		return this.observe(this.feed(system).insert(row));
	}

	/** A user's edit, at a time by the system's own clock. */
	edit(system: string, values: Row, clockMs = this.feed(system).clockMs): Disposition {
		this.feed(system).clockMs = clockMs;
		const row = { ...this.rows[system], ...values };
		this.rows[system] = row;
		return this.observe(this.feed(system).update(row));
	}

	/** A user's delete. */
	delete(system: string): Disposition {
		const row = { ...this.rows[system] };
		delete this.rows[system];
		return this.observe(this.feed(system).delete(row));
	}

	/** R2; gives the operations that it hands out. */
	decide(mode: PolicyMode = 'live'): readonly Operation[] {
		const { state, ops, journal } = decide(this.state, this.policy, mode);
		this.state = state;
		this.#note(journal);
		return ops;
	}

	/** The target does what the operation says, and `trigger` what it likes with the row. */
	apply(op: Operation, trigger: (row: Row) => Row = (row) => row): Disposition {
		if (op.kind === 'delete') {
			const row = { ...this.rows[op.system] };
			delete this.rows[op.system];
			const { marker } = this.feed(op.system).echo(op, MAC_KEY, { row });
			return this.observe({ ...this.feed(op.system).delete(row), marker });
		}
		const written = Object.entries(op.fields).map(([name, { next }]) => [name, next ?? null]);
		const old = this.rows[op.system] ?? { id: `${op.system}-1` };
		const row = trigger({ ...old, ...Object.fromEntries(written) });
		this.rows[op.system] = row;
		return this.observe(this.feed(op.system).echo(op, MAC_KEY, { row }));
	}

	/** The target writes nothing and says why. */
	answer(op: Operation, outcome: Exclude<Outcome, 'applied'>, error?: string): Disposition {
		const echo = error === undefined ? { outcome } : { outcome, error };
		return this.observe(this.feed(op.system).echo(op, MAC_KEY, echo));
	}

	/** Decides and applies until nothing is left to do; gives all operations that were applied. */
	pump(): Operation[] {
		const applied: Operation[] = [];
		for (let ops = this.decide(); ops.length > 0; ops = this.decide()) {
			if (applied.length > 50) throw new Error('the story does not come to rest');
			for (const op of ops) this.apply(op);
			applied.push(...ops);
		}
		return applied;
	}

	/** A person answers the only open item, with the token that it has now. */
	resolve(choice: Choice): void {
		const item = this.onlyReview();
		const resolution = { review: item.id, token: item.token, by: 'maria', choice };
		const { state, journal } = resolve(this.state, resolution, this.policy);
		this.state = state;
		this.#note(journal);
	}

	/** A person says of fields, or of the whole record: leave it alone, or go on. */
	hold(action: 'freeze' | 'unfreeze', fields: readonly string[] | 'record'): void {
		const request = { action, fields, by: 'maria', reason: 'being looked at' };
		const { state, journal } = hold(this.state, request, this.policy);
		this.state = state;
		this.#note(journal);
	}

	get reviews(): ReviewItem[] {
		return openReviews(this.state, SIMULATED_POLICY);
	}

	onlyReview(): ReviewItem {
		const [item, ...others] = this.reviews;
		if (item === undefined || others.length > 0)
			throw new Error(`${this.reviews.length} open items`);
		return item;
	}

	view(field: string, system: string): View | undefined {
		return this.state.fields[field]?.views[system];
	}

	/** The last entry of a kind, or undefined. */
	lastEntry(kind: JournalEntry['kind']): JournalEntry | undefined {
		return this.journal.filter(({ entry }) => entry.kind === kind).at(-1)?.entry;
	}

	#observed(system: string): RecordChange[] {
		return this.journal.flatMap(({ entry }) => (entry.kind === 'observed' && entry.change.system === system ? [entry.change] : []));
	}

	#note(entries: readonly JournalEntry[]): void {
		this.journal.push(...entries.map((entry) => ({ link: this.id, entry })));
	}
}

/** The operation that goes to a system, of several handed out; fails when there is none. */
export function opTo(ops: readonly Operation[], system: string): Operation {
	const op = ops.find((one) => one.system === system);
	if (op === undefined) throw new Error(`no operation goes to ${system}`);
	return op;
}

/** Events that an `EventFeed` made one by one, as if one transaction had made them: the last one. */
export function inOneTransaction(...events: readonly ChangeEvent[]): ChangeEvent[] {
	const lsn = lsnOfPosition(events.at(-1)?.source.position ?? '');
	const first = events[0]?.source.prev ?? null;
	return events.map((event, index) => {
		const prev = index === 0 ? first : positionOf(lsn, index - 1);
		return { ...event, source: { ...event.source, position: positionOf(lsn, index), prev } };
	});
}
