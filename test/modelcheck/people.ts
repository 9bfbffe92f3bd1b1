import { isDue } from '../../src/core/decide';
import { openReviews, reviewChanges } from '../../src/core/draft';
import { SyncError } from '../../src/core/errors';
import type { LinkState } from '../../src/core/link';
import { resolve, type Choice } from '../../src/core/resolve';
import type { ReviewItem } from '../../src/core/review';
import type { LinkRecord } from '../../src/store/memory-data';
import type { LinkCommit } from '../../src/store/sync-store';
import { namedBy } from '../support/named-values';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { userTransaction, type Statement } from '../support/simulated-users';
import type { Transition } from './actions';
import { noteNames } from './facts';
import { linksOf, stateOf, type Model } from './model';
import type { World } from './world';

/** The next transaction of a system's users. */
export function userStep(model: Model, world: World, system: string): Transition[] {
	const { scripts, systems } = model.setup;
	const index = world.facts.next[system] ?? 0;
	const statements = scripts[system]?.[index];
	const db = world.dbs[system];
	if (statements === undefined || db === undefined) return [];
	// Fixed numbers: whichever system's users are faster, the same write has the same id.
	let id = systems.indexOf(system) * 1000 + index * 10;
	const context = { rules: model.rulesOf(system), nextId: () => (id += 1) };
	const done = userTransaction(db, statements, context);
	const truth = { ...world.facts.truth, ...Object.fromEntries(done.writes.map((write) => [write.id, write])) };
	const facts = { ...world.facts, truth, next: { ...world.facts.next, [system]: index + 1 } };
	const text = `${system} user ${statements.map(describe).join(' and ')}`;
	return [{ text, fault: false, to: { ...world, dbs: { ...world.dbs, [system]: done.db }, facts } }];
}

/** A person answers the first open review, with the token it has now. */
export function humanStep(model: Model, world: World): Transition[] {
	const choice = model.setup.human[world.facts.acts];
	if (choice === undefined) return [];
	for (const record of linksOf(world.store).values()) {
		const before = stateOf(record);
		const [review] = openReviews(before, SIMULATED_POLICY);
		if (!review) continue;
		const answered = answer(model, { record, before, review, choice });
		if (answered === null) return [];
		const { commit } = answered;
		const request = { policy: SIMULATED_POLICY, links: [commit] };
		const { store } = model.onStore(world.store, (memory) => memory.commit(request));
		const names = namedBy({ before, after: commit.state, journal: commit.journal });
		const facts = { ...noteNames(world.facts, names), acts: world.facts.acts + 1 };
		const which = 'system' in choice ? ` ${choice.system}` : '';
		const text = `a person answers the review of ${review.fields.join(', ')} with ${choice.kind}${which}`;
		return [{ text, fault: false, to: { ...world, store, facts } }];
	}
	return [];
}

/** @returns null when the choice is not to be had: the page does not offer it */
function answer(
	{ setup }: Model,
	given: { record: LinkRecord; before: LinkState; review: ReviewItem; choice: Choice },
): { commit: LinkCommit } | null {
	const { record, before, review, choice } = given;
	try {
		const resolution = { review: review.id, token: review.token, by: 'person', choice };
		const { state, journal } = resolve(before, resolution, setup.policy);
		const closing = { policy: SIMULATED_POLICY, how: 'resolved' as const, by: 'person' };
		const reviews = reviewChanges(before, state, closing);
		const due = isDue(state, setup.policy, 'live');
		const { revision: expectedRevision } = record;
		return { commit: { state, expectedRevision, due, claims: [], releases: [], journal, reviews, stopAt: null } };
	} catch (error) {
		if (error instanceof SyncError && error.code === 'INVALID_RESOLUTION') return null;
		throw error;
	}
}

function describe(statement: Statement): string {
	const values = 'fields' in statement ? statement.fields : {};
	const list = Object.entries(values).map(([field, value]) => `${field} = ${String(value)}`);
	switch (statement.do) {
		case 'set':
			return `sets ${list.join(', ')} (${statement.record})`;
		case 'insert':
			return `inserts ${list.join(', ')}`;
		case 'delete':
			return `deletes ${statement.record}`;
		case 'add':
			return `adds ${statement.by} to ${statement.field} (${statement.record})`;
		case 'rekey':
			return `gives ${statement.record} the key ${statement.key}`;
	}
}
