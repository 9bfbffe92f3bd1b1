import fc from 'fast-check';
import type { ChangeEvent } from '../../src/core/change-event';
import { EXISTENCE, existsIn, type LinkState } from '../../src/core/link';
import type { Row } from '../../src/core/mapping';
import { positionOf, STREAM_START, type Position } from '../../src/core/position';
import { SyncError } from '../../src/core/errors';
import { MemoryStore } from '../../src/store/memory-store';
import { observeBatch } from '../../src/store/observe-batch';
import type { CommitRequest } from '../../src/store/sync-store';
import { SIMULATED_ENTITY, SIMULATED_POLICY, simulatedPolicy } from '../support/simulated-policy';

const policy = simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'prefer(crm)' } });
const KEYS = ['1', '2', '3', '4'];

/** One statement; the numbers choose among what is there. */
interface Act {
	readonly do: 'insert' | 'delete' | 'move' | 'edit' | 'swap';
	readonly which: number;
	readonly to: number;
	/** Also gives the record what another one has given up. */
	readonly takesRef: boolean;
}

interface History {
	/** By transaction. */
	readonly acts: readonly (readonly Act[])[];
	/** After which transactions what has gathered is observed. */
	readonly cuts: readonly boolean[];
	/** Which commits lose their nth link to another worker. */
	readonly losses: readonly number[];
}

const act: fc.Arbitrary<Act> = fc.record({
	do: fc.constantFrom('insert', 'delete', 'move', 'edit', 'swap'),
	which: fc.nat({ max: 11 }),
	to: fc.nat({ max: 11 }),
	takesRef: fc.boolean(),
});
const history: fc.Arbitrary<History> = fc.record({
	acts: fc.array(fc.array(act, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
	cuts: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
	losses: fc.array(fc.integer({ min: -6, max: 3 }), { maxLength: 6 }),
});

type Line = Pick<ChangeEvent, 'op' | 'before' | 'after'>;

/** The rows of one table, and what its log says of them: whole images, as with replica identity full. */
class Table {
	readonly rows = new Map<string, Row>();
	#given: string[] = [];
	#made = 0;

	run({ do: kind, which, to, takesRef }: Act): Line[] {
		const keys = [...this.rows.keys()];
		const free = KEYS.filter((key) => !this.rows.has(key));
		const key = keys[which % Math.max(1, keys.length)] ?? '';
		const row = this.rows.get(key);
		if (kind === 'insert') return free.length > 0 ? this.#insert(free[to % free.length] ?? '', takesRef) : [];
		if (row === undefined) return [];
		if (kind === 'delete') return this.#delete(key, row);
		if (kind === 'edit') return this.#edit(key, row, takesRef);
		if (kind === 'move') return free.length > 0 ? this.#put(key, row, free[to % free.length] ?? '') : [];
		const other = keys[to % keys.length] ?? '';
		return other === key ? [] : this.#swap(key, other);
	}

	#insert(key: string, takesRef: boolean): Line[] {
		const after = { id: key, ref: this.#ref(takesRef), note: this.#new('note') };
		this.rows.set(key, after);
		return [{ op: 'c', before: null, after }];
	}

	#delete(key: string, before: Row): Line[] {
		this.rows.delete(key);
		this.#given.push(String(before['ref']));
		return [{ op: 'd', before, after: null }];
	}

	#edit(key: string, before: Row, takesRef: boolean): Line[] {
		const ref = takesRef ? this.#ref(true) : before['ref'];
		if (takesRef) this.#given.push(String(before['ref']));
		const after = { ...before, ref: ref ?? null, note: this.#new('note') };
		this.rows.set(key, after);
		return [{ op: 'u', before, after }];
	}

	#put(key: string, before: Row, to: string): Line[] {
		const after = { ...before, id: to };
		this.rows.delete(key);
		this.rows.set(to, after);
		return [{ op: 'u', before, after }];
	}

	/** `update … set id = …` of two rows at once, as a deferrable key allows. */
	#swap(one: string, other: string): Line[] {
		const [a = {}, b = {}] = [this.rows.get(one), this.rows.get(other)];
		const [movedA, movedB] = [{ ...a, id: other }, { ...b, id: one }];
		this.rows.set(other, movedA).set(one, movedB);
		return [
			{ op: 'u', before: a, after: movedA },
			{ op: 'u', before: b, after: movedB },
		];
	}

	#ref(takes: boolean): string {
		return (takes ? this.#given.shift() : undefined) ?? this.#new('ref');
	}

	#new(what: string): string {
		this.#made += 1;
		return `${what}${this.#made}`;
	}
}

/** Emits a table's transactions and has them observed, while other workers commit in between. */
class Observer {
	readonly store = new MemoryStore({ now: () => 0, graceMs: 0 });
	readonly #gathered: ChangeEvent[] = [];
	readonly #losses: number[];
	#lsn = 0n;
	#last: Position = STREAM_START;

	constructor(losses: readonly number[]) {
		this.#losses = [...losses];
	}

	async start(): Promise<void> {
		const { document, name } = policy.policy;
		await this.store.publishPolicy({ name, document, hash: policy.hash, by: 'test', initialMode: 'first-contact' });
		const about = { slot: 'crm', systemId: '1', timeline: 1, filterHash: '', snapshot: 'none' as const };
		await this.store.registerStream({ policy: name, system: 'crm', start: STREAM_START, ...about });
	}

	emit(lines: readonly Line[]): void {
		this.#lsn += 1n;
		lines.forEach(({ op, before, after }, index) => {
			const position = positionOf(this.#lsn, index);
			const source = { connector: 'test', position, prev: this.#last, tsMs: 0, txId: null, snapshot: false };
			const key = { id: String((after ?? before ?? {})['id']) };
			const known = { changeId: `crm:${position}`, system: 'crm', entity: SIMULATED_ENTITY, key, source };
			this.#gathered.push({ ...known, op, before, after, unchanged: [], marker: null, bisync: {} });
			this.#last = position;
		});
	}

	/** @returns why something was not observed */
	async observe(): Promise<string[]> {
		const contended = Object.assign(Object.create(this.store) as MemoryStore, {
			commit: async (request: CommitRequest) => {
				this.#loseOne(request);
				return await this.store.commit(request);
			},
		});
		const results = await observeBatch(contended, SIMULATED_POLICY, this.#gathered.splice(0));
		return results.flatMap((result) => (result instanceof SyncError ? [result.code] : []));
	}

	links(): LinkState[] {
		const data = this.store.state.snapshot().policies.get(SIMULATED_POLICY);
		return [...(data?.links.values() ?? [])].map(({ state }) => JSON.parse(state) as LinkState);
	}

	/** Another worker commits one of the links first, unchanged. */
	#loseOne({ links }: CommitRequest): void {
		const known = links.filter(({ expectedRevision }) => expectedRevision > 0);
		const loser = known[this.#losses.shift() ?? -1];
		const [current] = loser ? this.store.state.load({ policy: SIMULATED_POLICY, links: [loser.state.id] }).links : [];
		if (!current) return;
		const { state, revision, due } = current;
		const same = { state, expectedRevision: revision, due, claims: [], journal: [], reviews: [], stopAt: null };
		this.store.state.commit({ policy: SIMULATED_POLICY, links: [same] });
	}
}

function wrongWith(rows: ReadonlyMap<string, Row>, links: readonly LinkState[]): string[] {
	const live = links.filter((state) => existsIn(state, 'crm'));
	const gone = live.filter(({ keys }) => !rows.has(String(keys['crm']?.['id'])));
	const wrong = gone.map(({ keys }) => `a link has the row ${String(keys['crm']?.['id'])}, which is gone`);
	for (const [key, row] of rows) {
		const owners = live.filter(({ keys }) => keys['crm']?.['id'] === key);
		const [owner] = owners;
		if (!owner || owners.length > 1) {
			wrong.push(`row ${key} is of ${owners.length} links`);
			continue;
		}
		const seen = { ref: owner.fields['ref']?.views['crm']?.canon, note: owner.fields['note']?.views['crm']?.canon };
		if (seen.ref !== row['ref'] || seen.note !== row['note']) wrong.push(`row ${key} is seen as ${JSON.stringify(seen)}`);
		if (owner.fields[EXISTENCE]?.frozen) wrong.push(`row ${key} waits for a person`);
	}
	return wrong;
}

beforeAll(() => void jest.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => void jest.restoreAllMocks());

test('each row is of the one link that shows it, however keys and match values are moved, swapped and used again', async () => {
	await fc.assert(
		fc.asyncProperty(history, async ({ acts, cuts, losses }) => {
			const table = new Table();
			const observer = new Observer(losses);
			await observer.start();
			for (const [index, statements] of acts.entries()) {
				observer.emit(statements.flatMap((one) => table.run(one)));
				if (cuts[index]) expect(await observer.observe()).toEqual([]);
			}
			expect(await observer.observe()).toEqual([]);
			expect(wrongWith(table.rows, observer.links())).toEqual([]);
		}),
		{ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 400) },
	);
});
