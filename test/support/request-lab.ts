import type { Json } from '../../src/core/canonical-json';
import type { HttpOutcome } from '../../src/core/http-outcome';
import type { LinkState, Operation } from '../../src/core/link';
import { inForce } from '../../src/core/observe';
import { parsePolicy } from '../../src/core/parse-policy';
import type { ApiTier } from '../../src/core/policy';
import type { Reading } from '../../src/core/reading';
import { beginRequests, continueRequests, type Begun, type BeginResult } from '../../src/store/api-requests';
import { decideBatch } from '../../src/store/decide-batch';
import { MemoryStore } from '../../src/store/memory-store';
import { observeReadings, takeTickets, type ObservedReading } from '../../src/store/observe-readings';
import { reportOutcomes, type ReportResult } from '../../src/store/report-outcomes';
import type { StoredReview } from '../../src/core/review';

export const POLICY = 'crm-shop';
const ENTITY = 'customer';

/** The record as both systems know it from the beginning, and as the shop has changed it. */
export const OLD = { ref: 'r1', note: 'old', phone: '1' };
export const ROW = { ...OLD, note: 'new' };

export interface SaidOfRecord {
	readonly version?: number | string;
	readonly etag?: string;
	readonly ticket?: string;
	readonly mark?: string;
	readonly deleted?: boolean;
	readonly earlier?: readonly Readonly<Record<string, Json>>[];
	/** Not all properties were sent. */
	readonly inPart?: boolean;
}

/** Two systems behind APIs, `crm` of any tier and `shop` with conditional writes, and all that nodes do around them. */
export class RequestLab {
	nowMs = 0;
	readonly store = new MemoryStore({ now: () => this.nowMs, graceMs: 0 });

	static async open(tier: ApiTier = 'conditional', note: Readonly<Record<string, Json>> = { owner: 'shop' }, deletes: Readonly<Record<string, Json>> = {}): Promise<RequestLab> {
		const lab = new RequestLab();
		const both = (name: string) => ({ crm: name, shop: name });
		const document = {
			policy: POLICY,
			systems: ['crm', 'shop'],
			entities: {
				[ENTITY]: {
					crm: { api: tier, key: ['id'] },
					shop: { api: 'conditional', key: ['id'] },
					match: [['ref']],
					deletes,
					fields: { ref: { ...both('ref'), owner: 'shop' }, note: { ...both('note'), ...note }, phone: { ...both('phone'), owner: 'crm' } },
				},
			},
		};
		const { policy, hash } = inForce(parsePolicy(JSON.stringify(document)));
		await lab.store.publishPolicy({ name: POLICY, document: policy.document, hash, by: 'test', initialMode: 'live' });
		return lab;
	}

	/** The shop has changed a field that it owns, and the write to the CRM has been decided. */
	static async decided(tier?: ApiTier, note?: Readonly<Record<string, Json>>): Promise<RequestLab> {
		const lab = await RequestLab.open(tier, note);
		await lab.linked();
		await lab.reads('shop', '9', ROW, { version: 2, etag: 's2' });
		await lab.decide();
		return lab;
	}

	/** A record of which both systems have heard, and that is at rest. */
	async linked(values: Readonly<Record<string, Json>> = OLD): Promise<void> {
		await this.reads('shop', '9', { ref: OLD.ref, ...values }, { version: 1, etag: 's1' });
		await this.reads('crm', '1', { ref: OLD.ref, ...values }, { version: 1, etag: 'c1' });
		await this.decide();
	}

	async reads(system: string, id: string, row: Readonly<Record<string, Json>>, said: SaidOfRecord = {}): Promise<ObservedReading> {
		const [observed] = await observeReadings(this.store, POLICY, [this.reading(system, id, row, said)]);
		if (!observed) throw new Error('nothing was observed');
		return observed;
	}

	reading(system: string, id: string, row: Readonly<Record<string, Json>>, said: SaidOfRecord = {}): Reading {
		const { version, etag, ticket = null, mark = null, deleted = false, earlier = [], inPart = false } = said;
		const facts = { ...(version === undefined ? {} : { version: String(version) }), ...(etag === undefined ? {} : { etag }), whole: !inPart && !deleted };
		const plain = { system, entity: ENTITY, key: { id }, exists: !deleted, row: deleted ? {} : { id, ...row } };
		return { ...plain, facts, ticket, mark, atMs: null, earlier };
	}

	async ticket(system: string, id: string): Promise<string> {
		const [ticket = ''] = await takeTickets(this.store, POLICY, [{ system, entity: ENTITY, key: { id } }]);
		return ticket;
	}

	async decide(): Promise<readonly Operation[]> {
		const { links } = await decideBatch(this.store, { policy: POLICY, links: this.links().map(({ id }) => id) });
		return [...links.values()].flatMap(({ ops }) => ops);
	}

	/** Begins the only operation to the system. */
	async begin(system = 'crm', leaseMs = 1_000): Promise<BeginResult> {
		const ops = this.links().flatMap(({ inFlight }) => inFlight[system] ?? []);
		const results = await beginRequests(this.store, { policy: POLICY, system, ops, leaseMs, rate: null });
		const [result] = results.values();
		if (!result) throw new Error(`nothing is in flight to ${system}`);
		return result;
	}

	async begun(system = 'crm'): Promise<Begun> {
		const result = await this.begin(system);
		if (result.kind === 'not-now') throw new Error(result.reason);
		return result.begun;
	}

	async check(begun: Begun, reading: Reading | null): Promise<BeginResult> {
		const [result] = await continueRequests(this.store, POLICY, [{ begun, reading }]);
		if (!result) throw new Error('nothing was checked');
		return result;
	}

	async report(begun: Begun, outcome: HttpOutcome, shown: Partial<Reading> & { readonly isMissingDeleted?: boolean } = {}): Promise<ReportResult> {
		const { row = null, key = null, facts = { whole: false }, isMissingDeleted = false } = shown;
		const [result] = await reportOutcomes(this.store, POLICY, [{ ...begun, outcome, row, key, facts, isMissingDeleted }]);
		if (!result) throw new Error('nothing was reported');
		return result;
	}

	/** Every operation to the CRM is begun and ends so, in one step; records that are not found count as deleted. */
	async reportAll(outcome: HttpOutcome, ids?: readonly string[]): Promise<void> {
		const ops = this.links().flatMap(({ inFlight }) => inFlight['crm'] ?? []).filter(({ key }) => ids?.includes(String(key?.['id'])) ?? true);
		const results = await beginRequests(this.store, { policy: POLICY, system: 'crm', ops, leaseMs: 1_000, rate: null });
		const begun = [...results.values()].flatMap((result) => (result.kind === 'not-now' ? [] : [result.begun]));
		const reports = begun.map((one) => ({ ...one, outcome, row: null, key: null, facts: { whole: false }, isMissingDeleted: true }));
		await reportOutcomes(this.store, POLICY, reports);
	}

	links(): LinkState[] {
		const data = this.store.state.snapshot().policies.get(POLICY);
		return [...(data?.links.values() ?? [])].map(({ state }) => JSON.parse(state) as LinkState);
	}

	link(): LinkState {
		const [link, ...more] = this.links();
		if (!link || more.length > 0) throw new Error(`there are ${more.length + (link ? 1 : 0)} links`);
		return link;
	}

	/** What is known of a field of the only link in each system, and what all should hold. */
	values(field: string): Readonly<Record<string, Json | undefined>> {
		const { views = {}, merged = null } = this.link().fields[field] ?? {};
		return { crm: views['crm']?.canon, shop: views['shop']?.canon, merged: merged?.canon };
	}

	async reviews(): Promise<readonly StoredReview[]> {
		return await this.store.listReviews({ policy: POLICY, state: 'open', limit: 10 });
	}

	async journal(): Promise<string[]> {
		const entries = await this.store.readJournal({ policy: POLICY, limit: 1000 });
		return entries.map(({ entry }) => entry.kind);
	}
}

export const APPLIED: HttpOutcome = { kind: 'applied' };
export const GONE: HttpOutcome = { kind: 'gone' };
export const STALE: HttpOutcome = { kind: 'stale' };
export const later = (isSure: boolean, retryAfterMs: number | null = null): HttpOutcome => ({ kind: 'later', isSure, retryAfterMs, said: 'answered 503' });
