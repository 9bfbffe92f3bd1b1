import { equalJson } from './canonical-json';
import { freeze, startDraft, type Draft } from './draft';
import type { JournalEntry, PolicyMode } from './journal';
import { EXISTENCE, existsIn, FIRST_EPOCH, isStill, type LinkState, type Operation } from './link';
import { mergeField } from './merge-field';
import { isFieldAtRest } from './merged-version';
import type { PolicyInForce } from './observe';
import { approvedPart, hidePending, pendingOf } from './pending';
import { planOperations } from './plan-operations';
import { anyLacksPart } from './record-parts';
import { adoptReferences, type Known, NOTHING_KNOWN, type Wait } from './references';
import type { Rules } from './strategies';
import { askIfOne, releaseTwin } from './twins';
import { giveUpUnfit } from './unfit-operations';
import { compare } from './version-vector';

export interface Decision {
	readonly state: LinkState;
	/** Every unsettled operation, old and new: handing one out twice has no effect, forgetting one blocks the link. */
	readonly ops: readonly Operation[];
	readonly journal: readonly JournalEntry[];
	/** What names a record that is not there yet: while there is some, the link stays due. */
	readonly waits: readonly Wait[];
	/** False when deciding again would have been without effect: nothing need be committed. */
	readonly changed: boolean;
}

/**
 * R2: what the policy makes of a link's state. Pure and deterministic: the same state and policy
 * give the same decision on every machine and in every replay, and deciding twice is deciding once.
 *
 * In the modes `first-contact`, `stopped` and `unsigned` nothing is decided and nothing handed out. What is pending in a live
 * policy is left as it is.
 *
 * @param known - of the links that this one refers to (see `recordsSought`); without it, references wait
 */
export function decide(before: LinkState, inForce: PolicyInForce, mode: PolicyMode, known: Known = NOTHING_KNOWN): Decision {
	if (inForce.pending.size === 0) return decideAll(before, inForce, { mode, known });
	const hidden = hidePending(before, inForce);
	const decision = decideAll(hidden.state, approvedPart(inForce), { mode, known });
	if (!decision.changed) return { ...decision, state: before };
	const named = pendingOf(before.entity, inForce.pending);
	const journal = decision.journal.map((entry) => (entry.kind === 'decided' ? { ...entry, ...named } : entry));
	return { ...decision, state: hidden.restore(decision.state), journal };
}

function decideAll(
	before: LinkState,
	{ policy, hash, epoch }: PolicyInForce,
	{ mode, known }: { mode: PolicyMode; known: Known },
): Decision {
	const entity = policy.entities.get(before.entity);
	if (!entity || (mode !== 'live' && mode !== 'shadow')) {
		return { state: before, ops: [], journal: [], waits: [], changed: false };
	}
	const draft = startDraft(before);
	draft.journal.push({
		kind: 'decided',
		policyHash: hash,
		mode,
		...(epoch === FIRST_EPOCH ? {} : { epoch }),
		...(isNothing(known) ? {} : { known }),
	});
	const rules = { policy, entity, known, epoch };
	const reviewCount = before.reviewCount;
	let changed = releaseTwin(draft, rules);
	if (mergeAll(draft, rules)) changed = true;
	if (giveUpUnfit(draft, entity)) changed = true;
	if (askIfOne(draft, rules)) changed = true;
	if (planOperations(draft, rules, mode === 'live')) changed = true;
	if (draft.state.reviewCount !== reviewCount) changed = true;
	// In the policy's order: a store may hand a document back with its members in another one.
	const inFlight = policy.systems.flatMap((system) => draft.state.inFlight[system] ?? []);
	const ops = mode === 'live' ? inFlight : [];
	const waits = mode === 'live' ? draft.waits : [];
	if (!changed) return { state: before, ops, journal: [], waits, changed };
	return { state: draft.state, ops, journal: draft.journal, waits, changed };
}

/** Every field, and whether the record exists, brought up to date. */
function mergeAll(draft: Draft, rules: Rules): boolean {
	let changed = adoptReferences(draft, rules);
	if (rules.known?.isTaken) askAboutTwin(draft, rules);
	for (const name of [EXISTENCE, ...rules.entity.fields.keys()]) {
		if (mergeField(draft, name, rules)) changed = true;
	}
	// A field may have brought what the record's creation waits for.
	const waits = draft.state.fields[EXISTENCE]?.frozen?.waitsFor !== undefined;
	return (waits && mergeField(draft, EXISTENCE, rules)) || changed;
}

function isNothing({ referred = [], twins, freed, isTaken }: Known): boolean {
	return referred.length === 0 && twins === undefined && freed === undefined && isTaken === undefined;
}

/** A record that is in every system already is linked, whoever else has its match values. */
function askAboutTwin(draft: Draft, { entity }: Rules): void {
	if ([...entity.tables.keys()].every((system) => existsIn(draft.state, system))) return;
	freeze(draft, [EXISTENCE], { kind: 'identity', reason: 'Another record already has these match values' });
}

/**
 * Whether somebody has to look at the link: R2 would do something, or an operation is unsettled.
 * While a policy only observes, it is due if it will be when it goes live.
 */
export function isDue(state: LinkState, policy: PolicyInForce, mode: PolicyMode): boolean {
	if (hasUnsettled(state, policy)) return true;
	if (policy.pending.size === 0 && state.surplus === undefined && isAtRest(state, policy)) return false;
	const { changed, waits } = decide(state, policy, mode === 'shadow' ? 'shadow' : 'live');
	return changed || waits.length > 0;
}

/** Whether an operation is in flight: to a system that has left the policy, none is that anybody waits for. */
export function hasUnsettled({ inFlight }: LinkState, { policy }: PolicyInForce): boolean {
	return policy.systems.some((system) => inFlight[system] !== undefined);
}

/**
 * Whether every system plainly holds every merged value under its vector: `decide` would do
 * nothing. Asked first because it is true of nearly every echo, and costs far less.
 */
function isAtRest(state: LinkState, { policy }: PolicyInForce): boolean {
	const { entity: name, fields } = state;
	const entity = policy.entities.get(name);
	if (!entity) return true;
	if (anyLacksPart(state, entity)) return false;
	const { views = {} } = fields[EXISTENCE] ?? {};
	if (![...entity.tables.keys()].every((system) => views[system] !== undefined)) return false;
	return [EXISTENCE, ...entity.fields.keys()].every((field) => isFieldAtRest(fields[field]));
}

/** Fields in which a system's version and the merged one have not seen each other and differ. Frozen fields wait for a person and are left out. */
export function concurrentFields(state: LinkState): string[] {
	return Object.entries(state.fields)
		.filter(([, field]) => {
			const { merged, views } = field;
			if (isStill(field)) return false;
			const versions = [...Object.values(views).filter(({ defaulted }) => !defaulted), ...(merged === null ? [] : [merged])];
			return versions.some((a, i) =>
				versions.slice(i + 1).some((b) => !equalJson(a.canon, b.canon) && compare(a.vector, b.vector) === 'concurrent'),
			);
		})
		.map(([name]) => name);
}
