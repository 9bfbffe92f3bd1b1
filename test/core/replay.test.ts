import fc from 'fast-check';
import type { JournalEntry } from '../../src/core/journal';
import { ambiguousLink, emptyLink, type LinkState } from '../../src/core/link';
import { replay, type ReplayedEntry } from '../../src/core/replay';
import { LinkStory } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';
import { anyScript, tell } from '../support/story-acts';

const policy = simulatedPolicy(['crm', 'billing'], {
	note: { owner: 'shared', resolve: 'review' },
});

function known(story: LinkStory) {
	return (hash: string) => (hash === story.policy.hash ? story.policy : undefined);
}

/** A conflict, and a person who decides it. */
function resolved(): LinkStory {
	const story = LinkStory.linked(policy, { note: 'x' });
	story.edit('crm', { note: 'a' });
	story.edit('billing', { note: 'b' });
	story.decide();
	story.resolve({ kind: 'values', values: { note: 'a and b' } });
	story.pump();
	return story;
}

const INPUTS = ['created', 'observed', 'decided', 'resolved'];

describe('replaying a journal', () => {
	test('gives the link’s state again: observed, decided, resolved and written', () => {
		const story = resolved();
		expect(replay(story.journal, known(story))).toEqual(story.state);
	});

	test('gives it again from what a store has kept as JSON', () => {
		const story = resolved();
		const kept = JSON.parse(JSON.stringify(story.journal)) as ReplayedEntry[];
		expect(replay(kept, known(story))).toEqual(story.state);
	});

	test('needs the inputs only: all other entries explain', () => {
		const story = resolved();
		const inputs = story.journal.filter(({ entry }) => INPUTS.includes(entry.kind));
		expect(inputs.length).toBeLessThan(story.journal.length);
		expect(replay(inputs, known(story))).toEqual(story.state);
	});

	test('gives any story’s state again', () => {
		fc.assert(
			fc.property(anyScript, (script) => {
				const story = tell(script);
				expect(replay(story.journal, known(story))).toEqual(story.state);
			}),
		);
	});

	test('up to any entry gives the state at that time', () => {
		fc.assert(
			fc.property(anyScript, fc.nat(), (script, at) => {
				const story = tell(script);
				const states: LinkState[] = [];
				replay(story.journal, known(story), (state) => states.push(state));
				const length = 1 + (at % story.journal.length);
				expect(states).toHaveLength(story.journal.length);
				expect(replay(story.journal.slice(0, length), known(story))).toEqual(states[length - 1]);
			}),
		);
	});

	test('judges each entry by the policy that it was made under', () => {
		const story = LinkStory.linked(policy, { note: 'x' });
		const owned = simulatedPolicy(['crm', 'billing'], { note: { owner: 'crm' } });
		const later = new LinkStory(owned);
		later.state = story.state;
		later.journal.splice(0, 1, ...story.journal);
		later.observe(story.feed('billing').update({ ...story.rows['billing'], note: 'b' }));
		later.decide();
		const policies = new Map([policy, owned].map((one) => [one.hash, one]));
		expect(later.lastEntry('revert')).toBeDefined();
		expect(replay(later.journal, (hash) => policies.get(hash))).toEqual(later.state);
	});
});

describe('the first entry', () => {
	const created = (ambiguous: boolean): JournalEntry => {
		return { kind: 'created', generation: 3, entity: 'customer', by: 'crm', ambiguous };
	};

	test.each([
		[false, emptyLink('link-1', 'customer', 3)],
		[true, ambiguousLink('link-1', 'customer', 3)],
	])('makes an empty link, in doubt: %s', (ambiguous, expected) => {
		expect(replay([{ link: 'link-1', entry: created(ambiguous) }], () => undefined)).toEqual(
			expected,
		);
	});

	test('missing means no link at all', () => {
		expect(replay([], () => undefined)).toBeNull();
	});
});

describe('a journal that is incomplete is refused', () => {
	const incomplete = (message: RegExp) =>
		expect.objectContaining({
			code: 'JOURNAL_INCOMPLETE',
			message: expect.stringMatching(message) as string,
		}) as Error;

	test('when its beginning is missing', () => {
		const story = resolved();
		expect(() => replay(story.journal.slice(1), known(story))).toThrow(
			incomplete(/does not begin with its creation/),
		);
	});

	test('when it is mixed with another link’s', () => {
		const story = resolved();
		const mixed = [
			...story.journal,
			{ link: 'link-2', entry: { kind: 'linked' as const, detail: null } },
		];
		expect(() => replay(mixed, known(story))).toThrow(incomplete(/is mixed with another one/));
	});

	test('when a policy was not kept', () => {
		const story = resolved();
		expect(() => replay(story.journal, () => undefined)).toThrow(
			incomplete(/unknown policy [0-9a-f]{64}$/),
		);
	});
});
