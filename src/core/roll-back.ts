import { equalJson, type Json } from './canonical-json';
import { startDraft } from './draft';
import type { JournalEntry, StoredJournalEntry } from './journal';
import { EXISTENCE, existsIn, fieldOf, type FieldState, isStill, type LinkState, type Operation } from './link';
import type { PolicyInForce } from './observe';
import { everythingSeen, settleOn } from './resolve';
import { includes, NOTHING_SEEN, type VersionVector } from './version-vector';

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
	/** The id of the workflow's execution that decided; null: any. */
	readonly execution: string | null;
}

/** What becomes of records that the run created: they stay and are listed, or are deleted everywhere. */
export type CreatedRecords = 'leave' | 'delete';

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
	readonly left: readonly LeftAlone[];
}

export interface LeftAlone {
	readonly field: string;
	readonly why: string;
	/** Of a record that the run deleted: what is known of its rows, raw, by system and field, for whoever makes it again. */
	readonly rows?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
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
	/** By field, what had been heard of it when the write was decided. */
	readonly heard: Readonly<Record<string, VersionVector>>;
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
		if (entry.kind !== 'decided' || !isOfRun(this.#filter, { entry, atMs: stored.atMs, entity: after.entity })) return;
		for (const op of Object.values(after.inFlight)) {
			const isNew = before.inFlight[op.system]?.id !== op.id;
			if (isNew && (this.#filter.system ?? op.system) === op.system) this.#underWay.set(op.id, { op, decided: stored.seq, preImages: preImagesOf(op, before), heard: heardBy(after) });
		}
	}

	/** What of it can be given back, as the record stands now. */
	plan(now: LinkState, { policy }: PolicyInForce, created: CreatedRecords = 'leave'): LinkRollBack {
		const left: LeftAlone[] = [];
		const fields: Record<string, { wrote: Json; restores: Json }> = {};
		const made = this.#done.filter(({ op }) => op.existence !== null);
		if (made.length > 0) return this.#planRecord(made, now, created);
		for (const name of this.#fieldNames()) {
			const field = policy.entities.get(now.entity)?.fields.get(name);
			const why = field === undefined ? 'the policy has no such field any more' : field.computed.size > 0 ? `${[...field.computed.keys()].join()} computes it` : null;
			const plan = why === null ? this.#planField(name, now) : why;
			if (typeof plan === 'string') left.push({ field: name, why: plan });
			else fields[name] = plan;
		}
		return { fields, left };
	}

	/** Of a record that the run has made or taken away. */
	#planRecord(made: readonly RunWrite[], now: LinkState, created: CreatedRecords): LinkRollBack {
		const [last] = made.slice(-1);
		const isCreated = made.every(({ op }) => op.kind === 'insert');
		const why = !isCreated || created === 'leave' || last === undefined ? null : whyNotDelete(now, { heard: last.heard, isBusy: this.#underWay.size > 0 });
		if (isCreated && created === 'delete' && why === null) return { fields: { [EXISTENCE]: { wrote: true, restores: false } }, left: [] };
		const left = made.map(({ op }): LeftAlone => {
			const rows = op.kind === 'delete' ? { rows: rowsOf(now) } : {};
			return { field: EXISTENCE, why: why ?? MADE[op.kind](op.system), ...rows };
		});
		return { fields: {}, left };
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
		if (!includes(last.vector, everythingSeen(field))) return 'it has been changed since, or rolled back already';
		return equalJson(restores, last.canon) ? 'the run left it as it was' : { wrote: last.canon, restores };
	}
}

function isOfRun(filter: RunFilter, { entry, atMs, entity }: { entry: Extract<JournalEntry, { kind: 'decided' }>; atMs: number; entity: string }): boolean {
	const { fromMs, untilMs, policyHash, execution } = filter;
	const isThen = atMs >= fromMs && atMs < untilMs;
	return isThen && (execution ?? entry.execution) === entry.execution && (policyHash ?? entry.policyHash) === entry.policyHash && (filter.entity ?? entity) === entity;
}

/** Everything that has been heard of a record, by field. */
function heardBy({ fields }: LinkState): Record<string, VersionVector> {
	return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, everythingSeen(field)]));
}

/** Why a record that the run created is not what it was then, or nobody may touch it; null: it can go. */
function whyNotDelete(now: LinkState, { heard, isBusy }: { heard: RunWrite['heard']; isBusy: boolean }): string | null {
	if (isBusy || Object.keys(now.inFlight).length > 0) return 'a write of it is under way';
	if (!Object.keys(now.keys).some((system) => existsIn(now, system))) return 'the record is gone';
	const fields = Object.entries(now.fields);
	if (fields.some(([, field]) => isStill(field))) return 'a person is asked about the record, or holds it';
	const isNews = fields.some(([name, field]) => !includes(heard[name] ?? NOTHING_SEEN, everythingSeen(field)));
	return isNews ? 'the run created the record, and it has been changed since' : null;
}

/** What the systems' rows held, as far as the sync has columns of them. */
function rowsOf({ fields }: LinkState): Record<string, Record<string, Json>> {
	const rows: Record<string, Record<string, Json>> = {};
	for (const [name, { views }] of Object.entries(fields)) {
		if (name === EXISTENCE) continue;
		for (const [system, { raw }] of Object.entries(views)) rows[system] = { ...rows[system], [name]: raw };
	}
	return rows;
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
