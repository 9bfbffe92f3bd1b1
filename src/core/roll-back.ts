import { equalJson, type Json } from './canonical-json';
import { startDraft } from './draft';
import type { JournalEntry, StoredJournalEntry } from './journal';
import { EXISTENCE, existsIn, fieldOf, type FieldState, isStill, type LinkState, type Operation } from './link';
import type { PolicyInForce } from './observe';
import { everythingSeen, settleOn } from './resolve';
import { compare } from './version-vector';

/** Which of our writes make up a run: those that were decided then, and fit the rest. */
export interface RunFilter {
	/** Milliseconds since 1970, by the store's clock: from this one on. */
	readonly fromMs: number;
	/** Up to, and without, this one. */
	readonly untilMs: number;
	/** The system that was written; null: any. */
	readonly system: string | null;
	readonly entity: string | null;
	/** Null: all. */
	readonly fields: readonly string[] | null;
	/** The hash of the version that decided; null: any. */
	readonly policyHash: string | null;
}

/** What a person gives back to one record. */
export interface RollBackRequest {
	/** What is rolled back, in words. */
	readonly run: string;
	readonly by: string;
	/** Canonical values by field: what stood there before the run. */
	readonly fields: Readonly<Record<string, Json>>;
}

/** What can be given back to a record, and what cannot. */
export interface LinkRollBack {
	readonly fields: Readonly<Record<string, { readonly wrote: Json; readonly restores: Json }>>;
	/** `∃` stands for the record itself. */
	readonly left: readonly { readonly field: string; readonly why: string }[];
}

/**
 * Gives back what stood there before, as a change by a person who has seen everything there is: the rules
 * bring it to every system by compare-and-set, as after a review.
 */
export function rollBack(before: LinkState, request: RollBackRequest, { hash }: PolicyInForce): { readonly state: LinkState; readonly journal: readonly JournalEntry[] } {
	const draft = startDraft(before);
	draft.journal.push({ kind: 'rolled-back', policyHash: hash, rollBack: request });
	for (const [name, canon] of Object.entries(request.fields)) settleOn(fieldOf(draft.state, name), canon);
	return { state: draft.state, journal: draft.journal };
}

interface RunWrite {
	readonly op: Operation;
	/** The entry of its decision: several systems may be written by one. */
	readonly decided: string;
	/** By field, what the system's view held when the write was decided. */
	readonly preImages: Readonly<Record<string, Json>>;
}

/** The writes of a run to one record, gathered while its journal is replayed. */
export class RunOfLink {
	readonly #filter: RunFilter;
	/** Decided in the run and not settled yet, by id. */
	readonly #underWay = new Map<string, RunWrite>();
	/** Carried out, in the order in which they were seen to be. */
	readonly #done: RunWrite[] = [];

	constructor(filter: RunFilter) {
		this.#filter = filter;
	}

	/** Whether the run has decided anything about this record. */
	get isEmpty(): boolean {
		return this.#done.length === 0 && this.#underWay.size === 0;
	}

	/** One entry of the journal, with the states before and after it. */
	note(before: LinkState, after: LinkState, stored: StoredJournalEntry): void {
		for (const [id, write] of this.#underWay) {
			const { system, number } = write.op;
			if (after.inFlight[system]?.id === id) continue;
			this.#underWay.delete(id);
			if (after.applied?.[system] === number) this.#done.push(write);
		}
		const { entry } = stored;
		if (entry.kind !== 'decided' || !this.#isOfRun(entry.policyHash, stored.atMs, after)) return;
		for (const op of Object.values(after.inFlight)) {
			const isNew = before.inFlight[op.system]?.id !== op.id;
			if (isNew && (this.#filter.system ?? op.system) === op.system) this.#underWay.set(op.id, { op, decided: stored.seq, preImages: preImagesOf(op, before) });
		}
	}

	#isOfRun(hash: string, atMs: number, { entity }: LinkState): boolean {
		const { fromMs, untilMs, policyHash } = this.#filter;
		return atMs >= fromMs && atMs < untilMs && (policyHash ?? hash) === hash && (this.#filter.entity ?? entity) === entity;
	}

	/** What of it can be given back, as the record stands now. */
	plan(now: LinkState, { policy }: PolicyInForce): LinkRollBack {
		const left: { field: string; why: string }[] = [];
		const fields: Record<string, { wrote: Json; restores: Json }> = {};
		const made = this.#done.filter(({ op }) => op.existence !== null);
		for (const { op } of made) left.push({ field: EXISTENCE, why: MADE[op.kind](op.system) });
		if (made.length > 0) return { fields, left };
		for (const name of this.#fieldNames()) {
			const field = policy.entities.get(now.entity)?.fields.get(name);
			const why = field === undefined ? 'the policy has no such field any more' : field.computed.size > 0 ? `${[...field.computed.keys()].join()} computes it` : null;
			const plan = why === null ? this.#planField(name, now) : why;
			if (typeof plan === 'string') left.push({ field: name, why: plan });
			else fields[name] = plan;
		}
		return { fields, left };
	}

	#fieldNames(): string[] {
		const written = [...this.#done, ...this.#underWay.values()].flatMap(({ op }) => (op.existence === null ? Object.keys(op.fields) : []));
		const wanted = this.#filter.fields;
		return [...new Set(written)].filter((name) => wanted === null || wanted.includes(name)).sort();
	}

	#planField(name: string, now: LinkState): { wrote: Json; restores: Json } | string {
		const writes = this.#done.filter(({ op }) => op.fields[name] !== undefined).sort((a, b) => (BigInt(a.decided) < BigInt(b.decided) ? -1 : 1));
		const last = writes.at(-1)?.op.fields[name];
		const field = now.fields[name];
		if (!last || !field) return 'a write of the run is still under way';
		const firsts = writes.filter(({ decided }) => decided === writes[0]?.decided).map(({ preImages }) => preImages[name]);
		const [restores, ...others] = firsts;
		if (restores === undefined || others.some((other) => other === undefined || !equalJson(other, restores))) return 'the systems held different values before, or none that could be read';
		const why = whyNot(field, { name, now, wrote: last.canon });
		if (why !== null) return why;
		const order = compare(everythingSeen(field), last.vector);
		if (order !== 'equal' && order !== 'before') return 'it has been changed since, or rolled back already';
		return equalJson(restores, last.canon) ? 'the run left it as it was' : { wrote: last.canon, restores };
	}
}

const MADE: Readonly<Record<Operation['kind'], (system: string) => string>> = {
	insert: (system) => `the run created the record in ${system}: delete it there by hand if nobody needs it`,
	delete: (system) => `the run deleted the record in ${system}: create it in any of the systems by hand if it is needed`,
	update: (system) => `the run brought the record back in ${system}: delete it there by hand if nobody needs it`,
};

function preImagesOf({ fields, system }: Operation, before: LinkState): Record<string, Json> {
	const entries = Object.keys(fields).flatMap((name): [string, Json][] => {
		const view = before.fields[name]?.views[system];
		return view === undefined || view.unreadable !== undefined || view.defaulted ? [] : [[name, view.canon]];
	});
	return Object.fromEntries(entries);
}

/** Why the field is not what the run wrote any more, or nobody may touch it; null: it is. */
function whyNot(field: FieldState, { name, now, wrote }: { name: string; now: LinkState; wrote: Json }): string | null {
	if (!Object.keys(now.keys).some((system) => existsIn(now, system))) return 'the record is gone';
	if (now.fields[EXISTENCE] && isStill(now.fields[EXISTENCE])) return 'a person is asked about the record, or holds it';
	if (isStill(field)) return 'a person is asked about it, or holds it';
	if (Object.values(now.inFlight).some((op) => op.existence !== null || op.fields[name] !== undefined)) return 'a write of it is under way';
	const holds = Object.values(field.views).every(({ canon, unreadable }) => unreadable === undefined && equalJson(canon, wrote));
	return holds && field.merged && equalJson(field.merged.canon, wrote) ? null : 'it has been changed since, or rolled back already';
}
