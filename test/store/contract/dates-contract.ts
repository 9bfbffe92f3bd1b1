import type { LinkState } from '../../../src/core/link';
import { commitOf, link, type OpenStore, POLICY, type StoreUnderTest } from './store-under-test';

/** By which dates records count as deleted, and whose turn it is. */
export function describeDates(open: OpenStore): void {
	describe('dates that pass', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		const dated = (id: string, dates?: LinkState['dates'], expectedRevision = 0) =>
			commitOf({ ...link(id), ...(dates ? { dates } : {}) }, { due: false, expectedRevision });
		const passed = async (untilMs: number, { system = 'billing', limit = 9 } = {}) =>
			(await under.store.findPassed({ policy: POLICY, system, untilMs, limit })).map(({ id }) => id);

		test('are found by system and time, the earliest first', async () => {
			const at = (atMs?: number) => ({ billing: { raw: 'a date', ...(atMs === undefined ? {} : { atMs }) } });
			const links = [dated('a', at(30)), dated('b', at(10)), dated('c', at(20.5)), dated('d', at()), dated('e')];
			await under.store.commit({ policy: POLICY, links: [...links, dated('f', { crm: { raw: null, atMs: 5 } })] });
			expect(await passed(9)).toEqual([]);
			expect(await passed(20.5)).toEqual(['b', 'c']);
			expect(await passed(99)).toEqual(['b', 'c', 'a']);
			expect(await passed(99, { limit: 1 })).toEqual(['b']);
			expect(await passed(99, { system: 'crm' })).toEqual(['f']);
		});

		test('are those of the last commit that won', async () => {
			await under.store.commit({ policy: POLICY, links: [dated('a', { billing: { raw: 'x', atMs: 10 } })] });
			await under.store.commit({ policy: POLICY, links: [dated('a', { billing: { raw: 'y', atMs: 50 } }, 1)] });
			await under.store.commit({ policy: POLICY, links: [dated('a', { billing: { raw: 'z', atMs: 5 } }, 1)] });
			expect([await passed(49), await passed(50)]).toEqual([[], ['a']]);
			const [state] = await under.store.findPassed({ policy: POLICY, system: 'billing', untilMs: 50, limit: 1 });
			expect(state?.dates).toEqual({ billing: { raw: 'y', atMs: 50 } });
			await under.store.commit({ policy: POLICY, links: [dated('a', { billing: { raw: 'y' } }, 2)] });
			expect(await passed(99)).toEqual([]);
		});
	});
}
