import { NO_SCOPES, type Scopes } from '../../src/core/scopes';
import fc from 'fast-check';
import type { Json } from '../../src/core/canonical-json';
import type { PolicyMode } from '../../src/core/journal';
import { EXISTENCE } from '../../src/core/link';
import type { Outcome } from '../../src/core/marker';
import type { Choice } from '../../src/core/resolve';
import { LinkStory } from './link-story';
import { FIELD_RULES, simulatedPolicy, type FieldRules } from './simulated-policy';

/** Something that happens in a random story; what makes no sense at that point does not happen. */
type Act =
	| {
			readonly do: 'edit';
			readonly system: string;
			readonly field: string;
			readonly value: Json;
	  }
	| { readonly do: 'delete'; readonly system: string }
	| { readonly do: 'applied'; readonly system: string }
	| { readonly do: 'trigger'; readonly system: string; readonly value: Json }
	| {
			readonly do: 'outcome';
			readonly system: string;
			readonly outcome: Exclude<Outcome, 'applied'>;
	  }
	| { readonly do: 'decide'; readonly mode: PolicyMode }
	| { readonly do: 'resolve'; readonly choice: Choice };

export const STORY_SYSTEMS = ['crm', 'billing', 'shop'];
const RULES: readonly FieldRules[string][] = [
	...FIELD_RULES,
	{ owner: 'shared', resolve: 'prefer(crm)', codec: 'integer' },
];

const system = fc.constantFrom(...STORY_SYSTEMS);
/** Few values, so that systems often agree by chance; 'x' is no integer. */
const value = fc.constantFrom<Json>('1', '2', '3', 'x', null);
const field = fc.constantFrom('note', 'phone');
const choice: fc.Arbitrary<Choice> = fc.oneof(
	fc.constant<Choice>({ kind: 'dismiss' }),
	fc.constant<Choice>({ kind: 'retry' }),
	system.map((one): Choice => ({ kind: 'apply', system: one })),
	value.map((one): Choice => ({ kind: 'values', values: { note: one, [EXISTENCE]: true } })),
);

const act: fc.Arbitrary<Act> = fc.oneof(
	{ weight: 8, arbitrary: fc.record({ do: fc.constant('edit' as const), system, field, value }) },
	{
		weight: 8,
		arbitrary: fc.record({
			do: fc.constant('decide' as const),
			mode: fc.constantFrom<PolicyMode>('live', 'live', 'live', 'live', 'shadow', 'stopped'),
		}),
	},
	{ weight: 8, arbitrary: fc.record({ do: fc.constant('applied' as const), system }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), system }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('trigger' as const), system, value }) },
	{
		weight: 3,
		arbitrary: fc.record({
			do: fc.constant('outcome' as const),
			system,
			outcome: fc.constantFrom('stale' as const, 'refused' as const, 'exists' as const),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('resolve' as const), choice }) },
);

/** A record's life: the rules of its two fields, and what happens to it. */
export interface Script {
	readonly note: FieldRules[string];
	readonly phone: FieldRules[string];
	readonly acts: readonly Act[];
}

/** Edits, deletes, decisions, outcomes and people, in any order, under any rules. */
export const anyScript: fc.Arbitrary<Script> = fc.record({
	note: fc.constantFrom(...RULES),
	phone: fc.constantFrom(...RULES),
	acts: fc.array(act, { maxLength: 40, size: 'max' }),
});

/** @param pending - what of the policy waits for its first contact */
export function tell({ note, phone, acts }: Script, pending: Scopes = NO_SCOPES): LinkStory {
	const story = new LinkStory({ ...simulatedPolicy(STORY_SYSTEMS, { note, phone }), pending });
	story.insert('crm', { ref: 'r1', note: '1', phone: '1' });
	for (const one of acts) perform(story, one);
	return story;
}

/** Decides, and lets the databases do what they are told, until nothing is left to do. */
export function comeToRest(story: LinkStory): void {
	for (let rounds = 0; story.decide().length > 0; rounds += 1) {
		if (rounds > 50) throw new Error('the story does not come to rest');
		for (const to of STORY_SYSTEMS) settle(story, { do: 'applied', system: to });
	}
}

function perform(story: LinkStory, one: Act): void {
	switch (one.do) {
		case 'edit':
			edit(story, one);
			return;
		case 'delete':
			if (story.rows[one.system]) story.delete(one.system);
			return;
		case 'decide':
			story.decide(one.mode);
			return;
		case 'resolve':
			answer(story, one.choice);
			return;
		case 'applied':
		case 'trigger':
		case 'outcome':
			settle(story, one);
	}
}

function edit(story: LinkStory, { system, field, value }: Extract<Act, { do: 'edit' }>): void {
	if (story.rows[system]) story.edit(system, { [field]: value });
	else story.insert(system, { ref: 'r1', note: '2', phone: null, [field]: value });
}

/** Like a database: an insert finds no row, an update or delete one with the expected values. */
function settle(
	story: LinkStory,
	one: Extract<Act, { do: 'applied' | 'trigger' | 'outcome' }>,
): void {
	const op = story.state.inFlight[one.system];
	if (op === undefined) return;
	const row = story.rows[one.system];
	const isAsExpected = Object.entries(op.fields).every(
		([name, { expected }]) => row?.[name] === expected,
	);
	if (one.do === 'outcome') story.answer(op, one.outcome);
	else if (op.kind === 'insert' && row) story.answer(op, 'exists');
	else if (op.kind !== 'insert' && !(row && isAsExpected)) story.answer(op, 'stale');
	else
		story.apply(
			op,
			one.do === 'trigger' ? (written) => ({ ...written, note: one.value }) : undefined,
		);
}

/** The system that is to be applied may hold no value; then the answer is refused, and nothing happens. */
function answer(story: LinkStory, choice: Choice): void {
	const [item, ...others] = story.reviews;
	if (item === undefined || others.length > 0) return;
	const isHeld = item.fields.every(
		(name) => choice.kind !== 'apply' || isReadable(story, name, choice.system),
	);
	if (isHeld) story.resolve(choice);
}

function isReadable(story: LinkStory, name: string, system: string): boolean {
	const view = story.view(name, system);
	return view !== undefined && view.unreadable === undefined;
}
