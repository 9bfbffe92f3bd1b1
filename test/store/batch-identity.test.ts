import type { ChangeEvent } from '../../src/core/change-event';
import { EXISTENCE, type Operation } from '../../src/core/link';
import { decide } from '../../src/core/decide';
import { observe } from '../../src/core/observe';
import { foldEvents } from '../../src/core/fold-events';
import type { RecordChange } from '../../src/core/record-change';
import { BatchLinks, type Found } from '../../src/store/batch-identity';
import type { WorkingLink } from '../../src/store/working-link';
import type { LoadedLink } from '../../src/store/sync-store';
import { EventFeed } from '../support/event-feed';
import { inOneTransaction, MAC_KEY, opTo } from '../support/link-story';
import { SIMULATED_ENTITY, simulatedPolicy } from '../support/simulated-policy';

const policy = simulatedPolicy(['crm', 'billing'], {
	note: { owner: 'shared', resolve: 'prefer(crm)' },
});
const ANN = { id: '42', ref: 'ann', note: 'x' };
const BOB = { id: '43', ref: 'bob', note: 'y' };

/** One batch, worked through as the observation step does: transaction by transaction. */
class Batch {
	readonly links: BatchLinks;
	readonly feeds = { crm: new EventFeed('crm', 'id'), billing: new EventFeed('billing', 'id') };

	constructor(loaded: readonly LoadedLink[] = []) {
		this.links = new BatchLinks(policy.policy, loaded);
	}

	/** What became of a transaction's changes, in order; null for one of no consequence. */
	transaction(...events: ChangeEvent[]): Found[] {
		const changes = foldEvents(events.length > 1 ? inOneTransaction(...events) : events, MAC_KEY);
		this.links.startTransaction(changes);
		return changes.flatMap((change) => this.#take(change));
	}

	/** The link that a single event led to. */
	one(event: ChangeEvent): Found {
		const [found] = this.transaction(event);
		if (!found) throw new Error('no link');
		return found;
	}

	/** Decides about a link; the operation that goes to the system. */
	decide(link: WorkingLink, system: string): Operation {
		const { state, ops } = decide(link.state, policy, 'live');
		link.state = state;
		return opTo(ops, system);
	}

	#take(change: RecordChange): readonly Found[] {
		const all = this.links.find(change);
		for (const found of all) this.links.update(found, observe(found.link.state, found.change, policy).state);
		return all;
	}
}

/** The link as a store would load it in the next batch. */
function stored({ state, claims, loaded }: WorkingLink): LoadedLink {
	return {
		state,
		revision: (loaded?.revision ?? 0) + 1,
		due: false,
		matches: [...claims, ...(loaded?.matches ?? [])],
	};
}

function matchOf(ref: string): string {
	return JSON.stringify({ ref });
}

describe('the link of a change', () => {
	test('is made by the first change of a record, and found by its key from then on', () => {
		const batch = new Batch();
		const made = batch.one(batch.feeds.crm.insert(ANN));
		expect(made).toMatchObject({
			how: 'created',
			link: { state: { generation: 1, keys: { crm: { id: '42' } } } },
		});
		expect(batch.one(batch.feeds.crm.update({ ...ANN, note: 'a' }))).toMatchObject({ how: 'known', link: made.link });
	});

	test('has an id that depends on nothing but the record’s first event', () => {
		const idOf = (batch: Batch) => batch.one(batch.feeds.crm.insert(ANN)).link.state.id;
		const busy = new Batch();
		busy.one(busy.feeds.billing.insert({ ...BOB, id: '502' }));
		expect(idOf(busy)).toBe(idOf(new Batch()));
		expect(idOf(busy)).toMatch(/^[0-9a-f]{32}$/);
	});

	test('is that of another system’s record with the same match key', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		const met = batch.one(batch.feeds.billing.insert({ ...ANN, id: '501' }));
		expect(met).toMatchObject({ how: 'matched', link });
		expect(link.state.keys).toEqual({ crm: { id: '42' }, billing: { id: '501' } });
	});

	test('is a new one when nothing matches: an empty match value identifies nobody', () => {
		const batch = new Batch();
		batch.one(batch.feeds.crm.insert({ ...ANN, ref: '' }));
		const met = batch.one(batch.feeds.billing.insert({ ...ANN, ref: '', id: '501' }));
		expect(met.how).toBe('created');
	});

	test('waits for a person when a record of the same system has the match key already', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		const twin = batch.one(batch.feeds.crm.insert({ ...ANN, id: '44' }));
		expect(twin.how).toBe('ambiguous');
		expect(twin.link).not.toBe(link);
		expect(twin.link.state.fields[EXISTENCE]?.frozen).toMatchObject({ kind: 'identity' });
		expect(decide(twin.link.state, policy, 'live').ops).toEqual([]);
	});

	test('is none for the delete of a record that nobody knew', () => {
		const batch = new Batch();
		expect(batch.transaction(batch.feeds.crm.delete(ANN))).toEqual([]);
	});

	test('stays the same when a match value is edited: once linked, a record is not linked again', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		batch.one(batch.feeds.billing.insert({ ...ANN, id: '501' }));
		const bob = batch.one(batch.feeds.crm.insert(BOB)).link;
		expect(batch.one(batch.feeds.billing.update({ ...ANN, id: '501', ref: 'bob' })).link).toBe(
			link,
		);
		expect(bob.state.keys).toEqual({ crm: { id: '43' } });
	});
});

describe('a marker', () => {
	test('leads the row that our insert made to its link, whatever key it was given', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert({ ...ANN, ref: null }));
		const op = batch.decide(link, 'billing');
		const echo = batch.feeds.billing.echo(op, MAC_KEY, {
			row: { id: '501', ref: null, note: 'x' },
		});
		expect(batch.one(echo)).toMatchObject({ how: 'known', link });
		expect(link.state.keys['billing']).toEqual({ id: '501' });
	});

	test('without a row leads its outcome to its link', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		const op = batch.decide(link, 'billing');
		expect(
			batch.one(batch.feeds.billing.echo(op, MAC_KEY, { outcome: 'refused', error: 'no' })).link,
		).toBe(link);
		expect(link.state.inFlight).toEqual({});
	});

	test('copied beside another record’s row puts that row into no link but its own', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		batch.one(batch.feeds.billing.insert({ ...ANN, id: '501' }));
		const bob = batch.one(batch.feeds.billing.insert({ ...BOB, id: '502' })).link;
		batch.one(batch.feeds.crm.update({ ...ANN, note: 'a' }));
		const op = batch.decide(link, 'billing');
		const { marker } = batch.feeds.billing.echo(op, MAC_KEY, { row: { ...ANN, id: '501' } });
		const copied = { ...batch.feeds.billing.update({ ...BOB, id: '502', note: 'hidden' }), marker };
		expect(batch.one(copied).link).toBe(bob);
		expect(link.state.inFlight['billing']).toEqual(op);
	});

	test('of a write that hit another record, which had come to the key, settles the one and is news of the other', () => {
		const batch = new Batch();
		const { crm, billing } = batch.feeds;
		const ann = batch.one(crm.insert(ANN)).link;
		batch.one(billing.insert({ ...ANN, id: '501' }));
		const bob = batch.one(billing.insert({ ...BOB, id: '502' })).link;
		batch.one(crm.update({ ...ANN, note: 'a' }));
		const op = batch.decide(ann, 'billing');
		batch.one({ ...billing.update({ ...ANN, id: '601' }), before: { ...ANN, id: '501' } });
		batch.one({ ...billing.update({ ...BOB, id: '501' }), before: { ...BOB, id: '502' } });
		const row = { ...BOB, id: '501', note: 'a' };
		const found = batch.transaction(billing.echo(op, MAC_KEY, { row }));
		expect(found.map(({ link }) => link)).toEqual([ann, bob]);
		expect(ann.state).toMatchObject({ inFlight: {}, keys: { billing: { id: '601' } } });
		expect(ann.state.fields['note']?.views['billing']).toMatchObject({ canon: 'x' });
		expect(bob.state.fields['note']?.views['billing']).toMatchObject({ canon: 'a', vector: { billing: 2 } });
		expect(opTo(decide(ann.state, policy, 'live').ops, 'billing').key).toEqual({ id: '601' });
	});

	test('copied beside a row that nobody knew makes it a record of its own', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		batch.one(batch.feeds.billing.insert({ ...ANN, id: '501' }));
		batch.one(batch.feeds.crm.update({ ...ANN, note: 'a' }));
		const op = batch.decide(link, 'billing');
		const { marker } = batch.feeds.billing.echo(op, MAC_KEY, { row: { ...ANN, id: '501' } });
		const found = batch.one({ ...batch.feeds.billing.insert({ ...BOB, id: '502' }), marker });
		expect(found.how).toBe('created');
		expect(found.link).not.toBe(link);
	});
});

describe('a key', () => {
	test('that changes takes its link along', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		const moved = { ...batch.feeds.crm.update({ ...ANN, id: '99' }), before: ANN };
		expect(batch.one(moved)).toMatchObject({ how: 'known', link });
		expect(batch.links.byKey('crm', SIMULATED_ENTITY, { id: '42' })).toBeUndefined();
		expect(batch.links.whoHad('crm', SIMULATED_ENTITY, { id: '42' })).toBe(link);
	});

	test('that became free belongs to whoever takes it next', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		batch.one({ ...batch.feeds.crm.update({ ...ANN, id: '99' }), before: ANN });
		const next = batch.one(batch.feeds.crm.insert({ ...BOB, id: '42' }));
		expect(next.how).toBe('created');
		expect(next.link).not.toBe(link);
		expect(next.link.state.id).not.toBe(link.state.id);
	});

	test('that two rows swap in one transaction stays with each of them', () => {
		const batch = new Batch();
		const ann = batch.one(batch.feeds.crm.insert(ANN)).link;
		const bob = batch.one(batch.feeds.crm.insert(BOB)).link;
		const { crm } = batch.feeds;
		batch.transaction(
			{ ...crm.update({ ...ANN, id: '0' }), before: ANN },
			{ ...crm.update({ ...BOB, id: '42' }), before: BOB },
			{ ...crm.update({ ...ANN, id: '43' }), before: { ...ANN, id: '0' } },
		);
		expect(ann.state.keys['crm']).toEqual({ id: '43' });
		expect(bob.state.keys['crm']).toEqual({ id: '42' });
		expect(ann.state.fields['ref']?.views['crm']?.canon).toBe('ann');
	});

	test('of a row that is gone is not taken back by its link, for another one that is not in the batch may have it', () => {
		const first = new Batch();
		const { crm, billing } = first.feeds;
		const { link } = first.one(crm.insert(ANN));
		first.one(billing.insert({ ...ANN, id: '7' }));
		first.one(crm.delete(ANN));
		expect(first.links.yields(link)).toEqual([]);
		const next = new Batch([stored(link)]);
		const again = next.one(billing.update({ ...ANN, id: '7', note: 'z' })).link;
		expect(again.state).toMatchObject({ id: link.state.id, keys: { crm: { id: '42' }, billing: { id: '7' } } });
		expect(next.links.yields(again)).toEqual(['crm']);
	});

	test('that is taken over is its new link’s, whichever of the two was made first', () => {
		const batch = new Batch();
		const { crm } = batch.feeds;
		const ann = batch.one(crm.insert(ANN)).link;
		batch.one(crm.delete(ANN));
		batch.one(crm.insert({ ...ANN, ref: 'cy', id: '42' }));
		const bob = batch.one(crm.insert(BOB)).link;
		batch.one(crm.delete({ ...ANN, ref: 'cy', id: '42' }));
		batch.one({ ...crm.update({ ...BOB, id: '42' }), before: BOB });
		expect(batch.links.yields(ann)).toEqual(['crm']);
		for (const links of [
			[bob, ann],
			[ann, bob],
		]) {
			const again = new Batch(links.map(stored));
			expect(again.links.byKey('crm', SIMULATED_ENTITY, { id: '42' })?.state.id).toBe(bob.state.id);
		}
	});

	test('that changes hands makes the links of the batch win or lose together', () => {
		const commitTogether = (act: (batch: Batch) => void): boolean => {
			const batch = new Batch();
			const ids = [ANN, BOB].map((row) => batch.one(batch.feeds.crm.insert(row)).link.state.id);
			act(batch);
			return batch.links.finish(ids);
		};
		const note = ({ feeds }: Batch) => feeds.crm.update({ ...ANN, note: 'a' });
		const move = ({ feeds }: Batch) => ({ ...feeds.crm.update({ ...ANN, id: '99' }), before: ANN });
		expect(commitTogether((batch) => void batch.one(note(batch)))).toBe(false);
		expect(commitTogether((batch) => void batch.one(move(batch)))).toBe(true);
		expect(
			commitTogether((batch) => {
				batch.one(batch.feeds.crm.delete(ANN));
				batch.one(batch.feeds.crm.insert({ ...ANN, ref: 'cy' }));
			}),
		).toBe(true);
	});

	test('of a record that is gone makes another one of the next: the next generation', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		batch.one(batch.feeds.crm.delete(ANN));
		const next = batch.one(batch.feeds.crm.insert({ ...BOB, id: '42' }));
		expect(next).toMatchObject({ how: 'created', link: { state: { generation: 2 } } });
		expect(link.state.fields[EXISTENCE]?.views['crm']?.canon).toBe(false);
	});

	test('leads to the newest of the links that a store has for it, in whatever order they come', () => {
		const first = new Batch();
		const old = first.one(first.feeds.crm.insert(ANN)).link;
		first.one(first.feeds.crm.delete(ANN));
		const recent = first.one(first.feeds.crm.insert({ ...BOB, id: '42' })).link;
		for (const loaded of [
			[old, recent],
			[recent, old],
		]) {
			const batch = new Batch(loaded.map(stored));
			expect(batch.links.byKey('crm', SIMULATED_ENTITY, { id: '42' })?.state.id).toBe(
				recent.state.id,
			);
		}
	});
});

describe('match keys', () => {
	test('are claimed by the link whose records have them', () => {
		const batch = new Batch();
		expect([...batch.one(batch.feeds.crm.insert(ANN)).link.claims]).toEqual([matchOf('ann')]);
	});

	test('that are edited within one batch leave only the last one claimed, and nothing to release', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		batch.one(batch.feeds.crm.update({ ...ANN, ref: 'anna' }));
		expect([[...link.claims], [...link.releases]]).toEqual([[matchOf('anna')], []]);
	});

	test('that are edited later are released, and free for another record', () => {
		const first = new Batch();
		const before = stored(first.one(first.feeds.crm.insert(ANN)).link);
		const batch = new Batch([before]);
		batch.feeds.crm.insert({}); // The position of the first batch is passed.
		const { link } = batch.one(batch.feeds.crm.update({ ...ANN, ref: 'anna' }));
		expect([[...link.claims], [...link.releases]]).toEqual([[matchOf('anna')], [matchOf('ann')]]);
		expect(batch.one(batch.feeds.billing.insert({ ...ANN, id: '501' })).how).toBe('created');
	});

	test('that two records swap are each other’s at the end of the batch', () => {
		const first = new Batch();
		const { crm } = first.feeds;
		const ids = [ANN, BOB].map((row) => stored(first.one(crm.insert(row)).link));
		const batch = new Batch(ids);
		const [ann, bob] = batch.transaction(
			crm.update({ ...ANN, ref: 'bob' }),
			crm.update({ ...BOB, ref: 'ann' }),
		);
		const met = ids.map(({ state }) => state.id);
		expect(batch.links.finish(met)).toBe(true);
		expect([...(ann?.link.claims ?? [])]).toEqual([matchOf('bob')]);
		expect([...(bob?.link.claims ?? [])]).toEqual([matchOf('ann')]);
	});

	test('of an insert on its way stay claimed, whatever becomes of its origin meanwhile', () => {
		const batch = new Batch();
		const { link } = batch.one(batch.feeds.crm.insert(ANN));
		batch.decide(link, 'billing');
		batch.one(batch.feeds.crm.update({ ...ANN, ref: 'anna' }));
		const met = batch.one(batch.feeds.billing.insert({ ...ANN, id: '501' }));
		expect(met).toMatchObject({ how: 'matched', link });
	});

	test('that nobody in the batch holds have to be looked up; its own do not', () => {
		const first = new Batch();
		const { link } = first.one(first.feeds.crm.insert(ANN));
		const batch = new Batch([stored(link)]);
		const changes = foldEvents(
			[first.feeds.crm.update({ ...ANN, note: 'a' }), first.feeds.crm.insert(BOB)],
			MAC_KEY,
		);
		expect(batch.links.unknownMatches(changes)).toEqual([
			{ entity: SIMULATED_ENTITY, match: matchOf('bob') },
		]);
	});
});
