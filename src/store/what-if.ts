import type { Json } from '../core/canonical-json';
import type { StoredJournalEntry } from '../core/journal';
import type { LinkState } from '../core/link';
import { MASK, maskRowKeys } from '../core/mask';
import { inForce, type PolicyInForce } from '../core/observe';
import type { Policy } from '../core/policy';
import { fieldTitle } from '../core/sign-off-words';
import { compareDecisions, type DecidedEntry, type DifferentField, type FieldOutcome, kindOfDifference, type Unjudged, unjudgedFields } from '../core/what-if';
import { JournalWalk, type WalkingStore } from './journal-walk';
import type { SyncStore } from './sync-store';

/** Read in one store trip. */
const LINKS = 200;

export type WhatIfStore = WalkingStore & Pick<SyncStore, 'scanLinks'>;

export interface WhatIfRequest {
	readonly changed: Policy;
	/** Decisions looked at, at most; whole records only, so that a few more may be. */
	readonly limit: number;
	/** Examples per field and kind of difference. */
	readonly examples: number;
	/** Go on after this record (see `next`); '' from the first one. */
	readonly after: string;
}

export interface WhatIfReport {
	readonly records: number;
	readonly decisions: number;
	readonly differing: number;
	/** By `entity.field`, then by what would be otherwise: how many decisions. */
	readonly byField: Readonly<Record<string, Readonly<Record<string, number>>>>;
	readonly examples: readonly WhatIfExample[];
	/** What could not be compared, why, and in how many decisions. */
	readonly notJudged: readonly { readonly what: string; readonly why: string; readonly decisions: number }[];
	readonly isCut: boolean;
	/** Where to go on when it is cut; '' when it is not. */
	readonly next: string;
}

/** Values of sensitive fields are masked. */
export interface WhatIfExample {
	readonly link: string;
	readonly keys: Json;
	readonly entity: string;
	readonly field: string;
	readonly difference: string;
	readonly atMs: number;
	/** The entry of the journal. */
	readonly seq: string;
	readonly was: FieldOutcome;
	readonly wouldBe: FieldOutcome;
}

/**
 * Replays the journal, record by record, and decides each decision again under a changed policy. Writes nothing, and keeps
 * one record's state and one page of its journal in memory.
 *
 * @throws SyncError STORE_UNREACHABLE
 */
export async function whatIf(store: WhatIfStore, request: WhatIfRequest): Promise<WhatIfReport> {
	const run = new WhatIfRun(store, request);
	let after = request.after;
	for (;;) {
		const from = after === '' ? {} : { afterId: after };
		const links = await store.scanLinks({ policy: request.changed.name, limit: LINKS, ...from });
		for (const [place, { state }] of links.entries()) {
			await run.look(state.id);
			after = state.id;
			const isLast = links.length < LINKS && place === links.length - 1;
			if (run.isFull && !isLast) return run.report(after);
		}
		if (links.length < LINKS) return run.report('');
	}
}

/** A policy of the time, and what of it cannot be compared with the changed one. */
interface Recorded {
	readonly policy: PolicyInForce;
	readonly unjudged: Unjudged;
}

class WhatIfRun {
	readonly #walk: JournalWalk;
	readonly #request: WhatIfRequest;
	readonly #changed: PolicyInForce;
	readonly #recorded = new Map<string, Recorded>();
	readonly #byField: Record<string, Record<string, number>> = {};
	readonly #examples: WhatIfExample[] = [];
	readonly #notJudged = new Map<string, { what: string; why: string; decisions: number }>();
	#records = 0;
	#decisions = 0;
	#differing = 0;

	constructor(store: WhatIfStore, request: WhatIfRequest) {
		this.#walk = new JournalWalk(store, request.changed.name);
		this.#request = request;
		this.#changed = inForce(request.changed);
	}

	get isFull(): boolean {
		return this.#decisions >= this.#request.limit;
	}

	report(next: string): WhatIfReport {
		return {
			records: this.#records,
			decisions: this.#decisions,
			differing: this.#differing,
			byField: this.#byField,
			examples: this.#examples,
			notJudged: [...this.#notJudged.values()],
			isCut: next !== '',
			next,
		};
	}

	async look(link: string): Promise<void> {
		this.#records += 1;
		const why = await this.#walk.through(link, ({ stored, before }) => {
			if (stored.entry.kind === 'decided') this.#compare(before, stored.entry, stored);
		});
		if (why !== null) this.#cannotJudge(`record ${link}`, why);
	}

	#compare(state: LinkState, entry: DecidedEntry, stored: StoredJournalEntry): void {
		const recorded = this.#recordedOf(entry.policyHash);
		if (!recorded) return;
		this.#decisions += 1;
		for (const [place, why] of recorded.unjudged) {
			if (place.startsWith(`${state.entity}.`)) this.#cannotJudge(titleOf(place), why);
		}
		const { policy, unjudged } = recorded;
		const different = compareDecisions(state, entry, { recorded: policy, changed: this.#changed, unjudged });
		if (different.length > 0) this.#differing += 1;
		for (const one of different) this.#count(one, state, { stored, recorded: policy.policy });
	}

	#count(different: DifferentField, { entity, keys }: LinkState, { stored, recorded }: { stored: StoredJournalEntry; recorded: Policy }): void {
		const place = titleOf(`${entity}.${different.field}`);
		const difference = kindOfDifference(different);
		const counts = (this.#byField[place] ??= {});
		const count = (counts[difference] ?? 0) + 1;
		counts[difference] = count;
		if (count > this.#request.examples) return;
		const policies = [recorded, this.#changed.policy].flatMap((policy) => policy.entities.get(entity) ?? []);
		const isSensitive = policies.some(({ sensitive }) => sensitive.has(different.field));
		const shown = (outcome: FieldOutcome): FieldOutcome => (isSensitive ? masked(outcome) : outcome);
		this.#examples.push({
			link: stored.link,
			keys: policies.reduce<Json>((masking, one) => maskRowKeys(masking as Record<string, Json>, one), keys as Json),
			entity,
			field: fieldTitle(different.field),
			difference,
			atMs: stored.atMs,
			seq: stored.seq,
			was: shown(different.was),
			wouldBe: shown(different.wouldBe),
		});
	}

	#cannotJudge(what: string, why: string): void {
		const known = this.#notJudged.get(`${what} ${why}`);
		if (known) known.decisions += 1;
		else this.#notJudged.set(`${what} ${why}`, { what, why, decisions: 1 });
	}

	#recordedOf(hash: string): Recorded | null {
		const known = this.#recorded.get(hash);
		const policy = this.#walk.versionOf(hash);
		if (known || policy === null) return known ?? null;
		const recorded = { policy, unjudged: unjudgedFields(policy.policy, this.#changed.policy) };
		this.#recorded.set(hash, recorded);
		return recorded;
	}
}

function titleOf(place: string): string {
	const [entity = '', field = ''] = place.split('.');
	return `${entity}.${fieldTitle(field)}`;
}

function masked({ value, asks, writes }: FieldOutcome): FieldOutcome {
	const hidden = Object.fromEntries(Object.keys(writes).map((system) => [system, MASK]));
	return { ...(value === undefined ? {} : { value: MASK }), asks, writes: hidden };
}
