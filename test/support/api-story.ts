import type pg from 'pg';

import { type Seen, seenInBilling, seenInCrm } from './api-world';
import type { Random } from './seeded-random';
import type { RestCrm } from './rest-crm/rest-crm';
import { waitUntil } from './wait-until';

/** Both systems, and how to know that nothing is left to do between them. */
export interface ApiWorld {
	readonly crm: RestCrm;
	readonly billing: pg.Pool;
	readonly isIdle: () => Promise<boolean>;
	/** How long it may take until they are equal; default 45 s. */
	readonly patienceMs?: number;
	/** Fields that users of both systems edit; without them nobody shares any. */
	readonly shares: boolean;
}

/** What users gave a field of a record last, by system. */
type LastWritten = Map<string, { crm?: string; billing?: string }>;

/** What users did, and what of it must be found in the end. */
export class ApiStory {
	readonly #last: LastWritten = new Map();
	#count = 0;
	#edits = 0;

	constructor(
		private readonly world: ApiWorld,
		private readonly random: Random,
	) {}

	/** New records on both sides. @returns when both systems have all of them */
	async create(count: number): Promise<void> {
		const { crm, billing } = this.world;
		const eve = crm.asUser('eve');
		for (let n = 0; n < count; n++) {
			const name = `c${(this.#count += 1)}`;
			if (n % 2 === 0) await eve.create({ name, email: `${name}@example.com`, note: 'n0' });
			else {
				await billing.query('insert into accounts (name, contact_email, status) values ($1, $2, $3)', [
					name,
					`${name}@example.com`,
					'active',
				]);
			}
		}
		await this.untilEqual(this.#count);
	}

	/** People edit on both sides, while the sync runs. */
	async edit(times: number): Promise<void> {
		const refs = (await this.world.crm.records.list({ after: '', limit: 1_000 })).map(({ id }) => id);
		await Promise.all([this.#editCrm(refs, times, this.random.fork()), this.#editBilling(refs, times, this.random.fork())]);
	}

	/** Waits until both systems are equal and at rest. @returns what they hold */
	async untilEqual(count = this.#count): Promise<readonly Seen[]> {
		let found = '';
		const look = async (): Promise<readonly Seen[] | false> => {
			const [crm, billing] = await this.#both();
			found = differences(crm, billing).join('; ') || `${crm.length} records`;
			if (found !== `${count} records`) return false;
			found += ', equal, but something is still under way';
			return (await this.world.isIdle()) && crm;
		};
		return await waitUntil('both systems equal', look, { timeoutMs: this.world.patienceMs ?? 45_000, everyMs: 100 }).catch((error: unknown) => {
			throw new Error(`the systems did not become equal: ${found}`, { cause: error });
		});
	}

	/** What stands in the end although no user wrote it last, in either system. */
	foreignValues(seen: readonly Seen[]): string[] {
		return seen.flatMap((record) =>
			Object.entries(record).flatMap(([field, value]) => {
				const last = this.#last.get(`${record.ref} ${field}`);
				const isTheirs = !last || value === last.crm || value === last.billing;
				return isTheirs ? [] : [`${record.ref} ${field} is ${String(value)}, written were ${JSON.stringify(last)}`];
			}),
		);
	}

	async #both(): Promise<[Seen[], Seen[]]> {
		const versions = await this.world.crm.records.list({ after: '', limit: 1_000 });
		return [versions.map(seenInCrm), await seenInBilling(this.world.billing)];
	}

	async #editCrm(refs: readonly string[], times: number, random: Random): Promise<void> {
		const eve = this.world.crm.asUser('eve');
		const fields = this.world.shares ? (['name', 'phone', 'note'] as const) : (['name'] as const);
		for (let n = 0; n < times; n++) {
			const [ref, field] = [random.oneOf(refs), random.oneOf(fields)];
			const value = `${field} by crm ${(this.#edits += 1)}`;
			await eve.patch(ref, { [field]: value });
			this.#wrote(ref, field, { crm: value });
		}
	}

	async #editBilling(refs: readonly string[], times: number, random: Random): Promise<void> {
		const columns = this.world.shares ? ({ city: 'city', phone: 'phone', note: 'memo' } as const) : ({ city: 'city' } as const);
		const fields = Object.keys(columns) as (keyof typeof columns)[];
		for (let n = 0; n < times; n++) {
			const [ref, field] = [random.oneOf(refs), random.oneOf(fields)];
			const value = `${field} by billing ${(this.#edits += 1)}`;
			const { rowCount } = await this.world.billing.query(
				`update accounts set ${columns[field]} = $1 where external_id = $2`,
				[value, ref],
			);
			if (rowCount === 1) this.#wrote(ref, field, { billing: value });
		}
	}

	#wrote(ref: string, field: string, written: { crm?: string; billing?: string }): void {
		const key = `${ref} ${field}`;
		this.#last.set(key, { ...this.#last.get(key), ...written });
	}
}

function differences(crm: readonly Seen[], billing: readonly Seen[]): string[] {
	const known = new Map(billing.map((record) => [record.ref, record]));
	const differing = crm.flatMap((record) => {
		const other = known.get(record.ref);
		if (!other) return [`${record.ref} is not in billing`];
		const names = Object.keys(record) as (keyof Seen)[];
		return names
			.filter((name) => (record[name] ?? null) !== (other[name] ?? null))
			.map((name) => `${record.ref} ${name}: ${String(record[name])} ≠ ${String(other[name])}`);
	});
	return crm.length === billing.length ? differing : [...differing, `${crm.length} in the crm, ${billing.length} in billing`];
}
