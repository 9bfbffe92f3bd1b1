import { SyncError } from '../../../src/core/errors';
import type { LinkCommit, StreamAdvance, SyncStore } from '../../../src/store/sync-store';
import {
	at,
	commitOf,
	link,
	loadLink,
	type OpenStore,
	POLICY,
	stream,
	type StoreUnderTest,
} from './store-under-test';

async function advance(
	store: SyncStore,
	[from, to]: readonly [number, number],
	links: readonly LinkCommit[] = [],
): Promise<unknown> {
	const step: StreamAdvance = { system: 'crm', from: at(from), to: at(to) };
	return (await store.commit({ policy: POLICY, links, advance: step })).position;
}

async function positionIn(store: SyncStore): Promise<unknown> {
	return (await store.load({ policy: POLICY })).streams['crm']?.position;
}

/** Positions: contiguous, never backwards, moved by commits alone. */
export function describeStreams(open: OpenStore): void {
	describe('streams', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		test('a stream is loaded as it was registered, by system', async () => {
			const registered = await under.store.registerStream(
				stream({ start: at(7), snapshot: 'running' }),
			);
			expect(registered).toEqual({
				...stream({ start: at(7), snapshot: 'running' }),
				reading: null,
				columns: null,
				position: at(7),
				acknowledgedLsn: null,
			});
			await under.store.registerStream(stream({ system: 'billing' }));
			await under.store.registerStream(stream({ policy: 'other' }));
			const { streams } = await under.store.load({ policy: POLICY });
			expect(Object.keys(streams).sort()).toEqual(['billing', 'crm']);
			expect(streams['crm']).toEqual(registered);
		});

		test('the columns that were known stay so until others are', async () => {
			const columns = ['public.customers.id', 'public.customers.a, b'];
			expect(await under.store.registerStream(stream({ columns }))).toMatchObject({ columns });
			expect(await under.store.registerStream(stream({ slot: 'other' }))).toMatchObject({ columns, slot: 'other' });
			expect(await under.store.registerStream(stream({ columns: [] }))).toMatchObject({ columns: [] });
			expect((await under.store.load({ policy: POLICY })).streams['crm']?.columns).toEqual([]);
		});

		test('registering again replaces the registration but never moves the position back', async () => {
			await under.store.registerStream(stream({ start: at(5) }));
			await under.store.recordAcknowledged(stream(), '0/5');
			const again = stream({
				slot: 'other',
				systemId: '2',
				timeline: 3,
				filterHash: 'f2',
				start: at(3),
			});
			expect(await under.store.registerStream(again)).toEqual({
				...again,
				reading: null,
				columns: null,
				position: at(5),
				acknowledgedLsn: '0/5',
			});
			expect(await under.store.registerStream({ ...again, start: at(9) })).toMatchObject({
				position: at(9),
			});
		});

		test('how far the rows have been read is kept with the registration', async () => {
			const table = {
				table: 'public.customers',
				entity: 'customer',
				hash: 'a.b',
				phase: 'rows' as const,
				after: ['4', 'é"\u0000'],
				rows: 4,
				estimate: null,
			};
			await under.store.registerStream(stream({ reading: [table] }));
			const { streams } = await under.store.load({ policy: POLICY });
			expect(streams['crm']?.reading).toEqual([table]);
			expect(await under.store.registerStream(stream())).toMatchObject({ reading: null });
		});

		test('the acknowledged position never goes back, and is printed as Postgres prints it', async () => {
			await under.store.registerStream(stream());
			for (const lsn of ['0/16b3748', 'A/0', '9/FFFFFFFF', '0/0']) {
				await under.store.recordAcknowledged(stream(), lsn);
			}
			expect((await under.store.load({ policy: POLICY })).streams['crm']?.acknowledgedLsn).toBe(
				'A/0',
			);
			await under.store.recordAcknowledged(stream(), '0010/0a');
			expect((await under.store.load({ policy: POLICY })).streams['crm']?.acknowledgedLsn).toBe(
				'10/A',
			);
		});

		test('acknowledging a stream that nobody registered is refused', async () => {
			await expect(under.store.recordAcknowledged(stream(), '0/1')).rejects.toMatchObject({
				code: 'STREAM_UNKNOWN',
			});
		});

		test('a commit without an advance moves no stream', async () => {
			await under.store.registerStream(stream());
			const result = await under.store.commit({ policy: POLICY, links: [commitOf(link('l1'))] });
			expect(result.position).toBeNull();
			expect(await positionIn(under.store)).toBe(at(0));
		});

		test('a commit moves the position to the end of its batch, even when no link changed', async () => {
			await under.store.registerStream(stream());
			expect(await advance(under.store, [0, 3], [commitOf(link('l1'))])).toBe(at(3));
			expect(await advance(under.store, [3, 5])).toBe(at(5));
			expect(await positionIn(under.store)).toBe(at(5));
		});

		test('a batch that begins after the position is refused whole, with the missing range', async () => {
			await under.store.registerStream(stream());
			const error = await advance(under.store, [2, 4], [commitOf(link('l1'))]).catch(
				(e: unknown) => e,
			);
			expect(error).toBeInstanceOf(SyncError);
			expect(error).toMatchObject({
				code: 'STREAM_GAP',
				message: expect.stringContaining(`of crm after ${at(0)} up to ${at(2)}`) as string,
			});
			expect(await loadLink(under.store, 'l1')).toBeUndefined();
			expect(await positionIn(under.store)).toBe(at(0));
		});

		test('a batch of a stream that nobody registered is refused whole', async () => {
			await expect(advance(under.store, [0, 1], [commitOf(link('l1'))])).rejects.toMatchObject({
				code: 'STREAM_UNKNOWN',
				message: expect.stringContaining('stream of crm for the policy "crm-billing"') as string,
			});
			expect(await loadLink(under.store, 'l1')).toBeUndefined();
		});

		test('the position stops before the first event of the links that lost', async () => {
			await under.store.registerStream(stream());
			await under.store.commit({
				policy: POLICY,
				links: [commitOf(link('l1')), commitOf(link('l2'))],
			});
			const links = [
				commitOf(link('l3'), { stopAt: at(0) }),
				commitOf(link('l1'), { stopAt: at(4) }),
				commitOf(link('l2'), { stopAt: at(2) }),
			];
			expect(await advance(under.store, [0, 6], links)).toBe(at(2));
			expect(await loadLink(under.store, 'l3')).toBeDefined();
		});

		test('a link that lost without saying where to stop holds the whole batch', async () => {
			await under.store.registerStream(stream());
			await advance(under.store, [0, 2], [commitOf(link('l1'))]);
			expect(await advance(under.store, [2, 6], [commitOf(link('l1'))])).toBe(at(2));
		});

		test('the position never goes back, whatever a late batch says', async () => {
			await under.store.registerStream(stream());
			await advance(under.store, [0, 6], [commitOf(link('l1'))]);
			expect(await advance(under.store, [1, 3])).toBe(at(6));
			expect(await advance(under.store, [0, 8], [commitOf(link('l1'), { stopAt: at(1) })])).toBe(
				at(6),
			);
			expect(await positionIn(under.store)).toBe(at(6));
		});

		test('of concurrent batches that follow on each other each is committed or refused, and none is skipped', async () => {
			await under.store.registerStream(stream());
			const batches = Array.from({ length: 10 }, (_, n) =>
				advance(under.store, [n, n + 1], [commitOf(link(`l${n}`))]).then(
					() => n,
					() => null,
				),
			);
			const committed = (await Promise.all(batches)).filter((n) => n !== null);
			expect(committed).toEqual(committed.map((_, n) => n));
			expect(await positionIn(under.store)).toBe(at(committed.length));
			expect(await loadLink(under.store, `l${committed.length}`)).toBeUndefined();
		});
	});
}
