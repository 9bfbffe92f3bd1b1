import { resolve } from '../../src/core/resolve';
import { openReviews, reviewChanges } from '../../src/core/draft';
import { isDue } from '../../src/core/decide';
import { SyncError } from '../../src/core/errors';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { namedBy } from '../support/named-values';
import { userTransaction } from '../support/simulated-users';
import type { Transition } from './actions';
import { linksOf, stateOf } from './due';
import type { Model } from './model';
import { noteNames } from './facts';
import type { World } from './world';

/** The next transaction of a system's users. */
export function userStep(model: Model, world: World, system: 'crm' | 'billing'): Transition[] {
	const { setup } = model;
	const index = world.facts.next[system];
	const statements = setup.scripts[system]?.[index];
	const rules = setup.rules[system];
	if (statements === undefined || rules === undefined) return [];
	// Fixed numbers: whichever system's users are faster, the same write has the same id.
	let id = (system === 'crm' ? 0 : 1000) + index * 10;
	const nextId = () => (id += 1);
	const { db, writes } = userTransaction(world[system], statements, { rules, nextId });
	const truth = { ...world.facts.truth, ...Object.fromEntries(writes.map((write) => [write.id, write])) };
	const next = { ...world.facts.next, [system]: index + 1 };
	const what = statements
		.map((statement) => {
			const which = statement.do === 'insert' ? '' : ` ${statement.record}`;
			const values = statement.do === 'delete' ? [] : Object.entries(statement.fields);
			return [`${statement.do}${which}`, ...values.map(([field, value]) => `${field} = ${String(value)}`)].join(' ');
		})
		.join(', ');
	return [{ text: `${system} user: ${what}`, fault: false, to: { ...world, [system]: db, facts: { ...world.facts, truth, next } } }];
}

/** A person answers the first open review, with the token it has now. */
export function humanStep(model: Model, world: World): Transition[] {
	const { setup } = model;
	const choice = setup.human[world.facts.acts];
	if (choice === undefined) return [];
	for (const record of linksOf(world.store).values()) {
		const before = stateOf(record);
		const [review] = openReviews(before, SIMULATED_POLICY);
		if (!review) continue;
		try {
			const resolution = { review: review.id, token: review.token, by: 'person', choice };
			const { state, journal } = resolve(before, resolution, setup.policy);
			const { store } = model.onStore(world.store, (memory) =>
				memory.commit({
					policy: SIMULATED_POLICY,
					links: [
						{
							state,
							expectedRevision: record.revision,
							due: isDue(state, setup.policy, 'live'),
							claims: [],
							releases: [],
							journal,
							reviews: reviewChanges(before, state, { policy: SIMULATED_POLICY, how: 'resolved', by: 'person' }),
							stopAt: null,
						},
					],
				}),
			);
			const facts = noteNames(world.facts, namedBy({ before, after: state, journal }));
			const text = `a person answers the review of ${review.fields.join(', ')}: ${choice.kind}${'system' in choice ? ` ${choice.system}` : ''}`;
			return [{ text, fault: false, to: { ...world, store, facts: { ...facts, acts: facts.acts + 1 } } }];
		} catch (error) {
			if (!(error instanceof SyncError)) throw error;
			return []; // The chosen system has no value: the page does not offer it.
		}
	}
	return [];
}
