import { firstContactReviewId } from '../../../src/store/approve-first-contact';
import { SyncError } from '../../../src/core/errors';
import { policyHash } from '../../../src/core/policy';
import { parsePolicy } from '../../../src/core/parse-policy';
import { readHash } from '../../../src/core/scopes';
import { resolveReview } from '../../../src/store/resolve-review';
import { LAB_POLICY, type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const ROWS = `
	insert into customers select n, 'c' || n || '@x', 'note ' || n from generate_series(1, 25) n;
	insert into orders select n, 'o' || n from generate_series(1, 7) n;`;

const snapshotDone = async (lab: TriggerLab): Promise<void> => {
	await waitUntil('the first read', async () => {
		const { streams } = await lab.store.load({ policy: 'lab' });
		return streams['crm']?.snapshot === 'done';
	});
};

const keysOf = (lab: TriggerLab, entity: string, op: string) =>
	lab.n8n
		.events()
		.filter((event) => event.entity === entity && event.op === op)
		.map(({ key }) => Number(key['id']));

/** What the store holds of a field of customers that are there, by id. */
async function viewsOf(lab: TriggerLab, field: string, ids: readonly number[]) {
	const keys = ids.map((id) => ({ system: 'crm', entity: 'customer', key: { id: String(id) } }));
	const { links } = await lab.store.load({ policy: 'lab', keys });
	const there = links.filter(({ state }) => state.fields['∃']?.views['crm']?.canon === true);
	return Object.fromEntries(
		there.map(({ state }) => [state.keys['crm']?.['id'], state.fields[field]?.views['crm']?.canon]),
	);
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test('all rows of two tables are read once, chained, and one approval is asked for', async () => {
	await withLab({ mode: 'first-contact', setup: ROWS }, async (lab) => {
		await lab.start({ settings: { maxChanges: 10 } });
		await snapshotDone(lab);
		expect(keysOf(lab, 'customer', 'r')).toEqual(numbers(25));
		expect(keysOf(lab, 'order', 'r')).toEqual(numbers(7));
		const events = lab.n8n.events();
		expect(events[0]?.source.prev).toBe((await lab.stream()).start);
		expect(events.slice(1).map(({ source }) => source.prev)).toEqual(
			events.slice(0, -1).map(({ source }) => source.position),
		);
		expect(events.every(({ source }) => source.snapshot)).toBe(true);
		const [review] = await waitUntil('the approval item', async () => {
			const items = await lab.store.listReviews({ policy: 'lab', limit: 10 });
			return items.length > 0 && items;
		});
		expect(review).toMatchObject({
			id: firstContactReviewId('lab'),
			kind: 'approval',
			token: policyHash(parsePolicy(LAB_POLICY)),
		});
	});
});

test('changes made while the rows are read come after them, and none twice', async () => {
	await withLab({ mode: 'first-contact', setup: ROWS }, async (lab) => {
		let isFirst = true;
		lab.n8n.workflow = async (events) => {
			if (isFirst) {
				isFirst = false;
				await lab.sql(
					`update customers set note = 'later' where id = 20; insert into customers values (26, 'z@x', null)`,
				);
			}
			return await lab.observing(events);
		};
		await lab.start({ settings: { maxChanges: 5 } });
		await waitUntil('the stream', () => lab.n8n.events().some(({ op }) => op === 'c'));
		expect(keysOf(lab, 'customer', 'r')).toEqual(numbers(25));
		const later = lab.n8n.events().filter(({ source }) => !source.snapshot);
		expect(later.map(({ op, key }) => [op, key['id']])).toEqual([
			['u', '20'],
			['c', '26'],
		]);
		expect(
			lab.n8n.events().find(({ op, key }) => op === 'r' && key['id'] === '20')?.after?.['note'],
		).toBe('note 20');
	});
});

test('nothing is woken before the approval, and everything that waits after it', async () => {
	await withLab({ mode: 'first-contact', setup: ROWS }, async (lab) => {
		await lab.start();
		const items = await waitUntil('the approval item', async () => {
			const found = await lab.store.listReviews({ policy: 'lab', state: 'open', limit: 10 });
			return found.length > 0 && found;
		});
		expect(lab.n8n.events().some(({ op }) => op === 'w')).toBe(false);
		const approval = {
			review: items[0]!.id,
			token: items[0]!.token,
			by: 'test',
			choice: { kind: 'retry' },
		} as const;
		await expect(resolveReview(lab.store, approval)).rejects.toMatchObject({
			code: 'FIRST_CONTACT_INCOMPLETE',
			message: expect.stringContaining('billing has not been read at all'),
		});
		await lab.store.registerStream({
			...(await lab.stream()),
			system: 'billing',
			filterHash: readHash(parsePolicy(LAB_POLICY), 'billing'),
		});
		await resolveReview(lab.store, approval);
		const woken = await waitUntil('all links to be woken', () => {
			const links = new Set(
				lab.n8n
					.events()
					.filter(({ op }) => op === 'w')
					.map(({ changeId }) => changeId),
			);
			return links.size >= 32 && links;
		});
		expect(woken.size).toBe(32);
	});
});

test('a first read that was cut short goes on where it stood, and sees what changed meanwhile', async () => {
	await withLab({ mode: 'first-contact', setup: ROWS }, async (lab) => {
		const seen: number[] = [];
		lab.n8n.workflow = async (events) => {
			seen.push(events.length);
			// The third page never gets through.
			return seen.length > 2 ? 'success' : await lab.observing(events);
		};
		const first = await lab.start({ settings: { maxChanges: 5, tablesAtOnce: 1 } });
		await waitUntil('the third page', () => seen.length > 3);
		await first.close();
		const before = await lab.stream();
		expect(before).toMatchObject({
			snapshot: 'running',
			reading: [
				{ table: 'public.customers', phase: 'rows', after: ['10'], rows: 10 },
				{ table: 'public.orders', phase: 'rows', after: null, rows: 0 },
			],
		});
		await lab.sql(
			`delete from customers where id = 3; update customers set note = 'anew' where id = 4;
			delete from customers where id = 20; update customers set note = 'later' where id = 21`,
		);
		lab.n8n.workflow = lab.observing;
		lab.n8n.runs.length = 0;
		await lab.start({ settings: { maxChanges: 5, tablesAtOnce: 1 } });
		await snapshotDone(lab);
		expect((await lab.stream()).start).toBe(before.start);
		expect(keysOf(lab, 'customer', 'r')).toEqual(
			numbers(25).filter((id) => id >= 10 && id !== 20),
		);
		expect(keysOf(lab, 'customer', 'd')).toEqual([3, 20]);
		expect(keysOf(lab, 'order', 'r')).toEqual(numbers(7));
		await lab.waitUntilAcknowledged();
		expect(await viewsOf(lab, 'note', [3, 4, 20, 21, 25])).toEqual({
			4: 'anew',
			21: 'later',
			25: 'note 25',
		});
		expect(lab.n8n.errors).toEqual([]);
	});
});

test('a policy that was never published keeps the trigger from starting', async () => {
	await withLab({}, async (lab) => {
		const started = lab.start({ source: { policy: 'unheard-of' } });
		await expect(started).rejects.toMatchObject({
			message: expect.stringContaining('has not been published'),
			description: new SyncError('POLICY_UNPUBLISHED', '').remedy,
		});
		expect(await lab.slot()).toBeNull();
	});
});

test('everything that is wrong with the server is said at once', async () => {
	await withLab({}, async (lab) => {
		await lab.sql(
			`alter table orders rename to bestellungen; alter table customers drop column note`,
		);
		const error: unknown = await lab.start().catch((reason: unknown) => reason);
		expect(error).toMatchObject({
			message: expect.stringMatching(
				/2 things .*1\. .*orders.*2\. .*"note"|2 things .*"note".*orders/,
			),
		});
		expect(await lab.slot()).toBeNull();
	});
});

test('a wrong password is said as such', async () => {
	await withLab({}, async (lab) => {
		const connection = { ...lab.settings.connection, password: 'wrong' };
		await expect(lab.start({ settings: { connection } })).rejects.toMatchObject({
			message: expect.stringContaining('No access to database'),
			description: new SyncError('AUTH_FAILED', '').remedy,
		});
	});
});

test('a system that the policy does not know is refused, naming those it knows', async () => {
	await withLab({}, async (lab) => {
		await expect(lab.start({ source: { system: 'erp' } })).rejects.toThrow(
			/"System" must be one of crm, billing/,
		);
	});
});

test('a slot of the same name that somebody else made is not touched', async () => {
	await withLab({}, async (lab) => {
		await lab.sql(`select pg_create_logical_replication_slot('${lab.settings.slot}', 'pgoutput')`);
		await expect(lab.start()).rejects.toThrow(/of which this sync store knows nothing/);
		expect(await lab.slot()).not.toBeNull();
	});
});
