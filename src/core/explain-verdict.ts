import { explain, explainTogether, type Draft } from './draft';
import { unseenEdits, type UnseenEdit } from './judge-existence';
import { EXISTENCE, type LinkState, type MergedVersion, type View } from './link';
import type { Rules, Verdict } from './strategies';

interface Judged {
	readonly name: string;
	readonly system: string;
	readonly view: View;
	readonly rules: Rules;
}

/** Journals what a rule made of a view, with all that is lost by it. */
export function explainVerdict(
	draft: Draft,
	why: { place: Judged; rule: string; dominates: boolean; verdict: Verdict; merged: MergedVersion },
): void {
	const { place, rule, dominates, verdict, merged } = why;
	const { kind } = verdict;
	const { name: field, system, view, rules } = place;
	const values = { view: view.canon, merged: merged.canon, from: merged.from };
	const vectors = { viewVector: { ...view.vector }, mergedVector: { ...merged.vector } };
	const restored = kind === 'restore' ? verdict.rival.system : '';
	const kept = { take: system, merge: 'merge', restore: restored, keep: merged.from, tolerate: merged.from, review: merged.from }[kind];
	const detail = { rule, kept, ...values, ...vectors };
	const lost = field === EXISTENCE ? lostToDelete(draft.state, rules, system) : [];
	if (!dominates || (view.canon === false && lost.some(({ overruled }) => !overruled))) explain(draft, 'conflict', { field, system, detail });
	if ((kind === 'take') === (view.canon === false)) nameTheLost(draft, { lost, rule, by: kept });
	if (kind === 'tolerate') explain(draft, 'ignored', { field, system, detail });
	else if (kind === 'keep' && (rule.startsWith('owner') || dominates)) explain(draft, 'revert', { field, system, detail });
	else if (dominates) explainTogether(draft, 'propagated', { field, system, reason: rule });
}

/** What the delete that `system` is a party to takes along, and whoever deleted had not seen. */
function lostToDelete(state: LinkState, { entity }: Rules, system: string): UnseenEdit[] {
	const views = state.fields[EXISTENCE]?.views ?? {};
	if (views[system]?.canon !== true) return unseenEdits(state, system, entity);
	const gone = [...entity.tables.keys()].filter((other) => views[other]?.canon === false);
	if (gone.length > 0) return gone.flatMap((other) => unseenEdits(state, other, entity));
	// Whoever deleted it has it again by now, through a write of ours: what had been seen is not known any more.
	return [...entity.fields.keys()].map((field) => ({ field, system, overruled: false }));
}

/** A delete that wins takes values along that whoever deleted had not seen: the journal keeps them. */
function nameTheLost(
	draft: Draft,
	{ lost, rule, by }: { lost: readonly UnseenEdit[]; rule: string; by: string },
): void {
	for (const { field, system, overruled } of lost) {
		const { views = {}, merged = null } = draft.state.fields[field] ?? {};
		const version = views[system] ?? merged;
		if (!version) continue;
		const detail = { rule: overruled ? 'delete' : rule, kept: by, view: version.canon, viewVector: { ...version.vector } };
		explain(draft, overruled ? 'revert' : 'conflict', { field, system, detail });
	}
}
