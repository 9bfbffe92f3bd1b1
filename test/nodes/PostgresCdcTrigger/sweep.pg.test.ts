import { withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const ROWS = `insert into customers select n, 'c' || n || '@x', null from generate_series(1, 450) n;`;

test('links that are due are woken between batches, and again as long as nobody acts', async () => {
	await withLab(
		{ mode: 'live', setup: `insert into customers values (1, 'a@x', null);` },
		async (lab) => {
			await lab.start();
			const wakes = () => lab.n8n.events().filter(({ op }) => op === 'w');
			const [wake] = await waitUntil('the wake item', () => wakes().length > 0 && wakes());
			const [link] = await lab.store.scanLinks({ policy: 'lab', limit: 10 });
			expect(wake).toMatchObject({
				system: 'crm',
				entity: 'customer',
				key: { id: '1' },
				bisync: { wake: { link: link!.state.id } },
				source: { position: null, prev: null },
			});
			await waitUntil('the next wake', () => wakes().length > 1);
		},
	);
});

test('a long queue goes out without a pause between sweeps', async () => {
	await withLab({ mode: 'live', setup: ROWS }, async (lab) => {
		const first = await lab.start({ source: { sweepMs: 600_000 } });
		await lab.waitUntilReading();
		await first.close();
		lab.n8n.runs.length = 0;
		// Everything is due again when the policy goes live.
		await lab.store.setMode('lab', 'stopped');
		await lab.store.setMode('lab', 'live');
		await lab.start({ source: { sweepMs: 600_000 } });
		await waitUntil('all links', () => {
			const woken = lab.n8n.events().filter(({ op }) => op === 'w');
			return new Set(woken.map(({ changeId }) => changeId)).size === 450;
		});
		expect(lab.n8n.runs.map(({ events }) => events.length).slice(0, 3)).toEqual([200, 200, 50]);
	});
});

test('while the policy is stopped nothing is woken', async () => {
	await withLab(
		{ mode: 'stopped', setup: `insert into customers values (1, 'a@x', null);` },
		async (lab) => {
			await lab.start();
			await lab.waitUntilReading();
			const before = lab.storeTrips();
			await waitUntil('several sweeps', () => lab.storeTrips() > before + 5);
			expect(lab.n8n.events().filter(({ op }) => op === 'w')).toEqual([]);
		},
	);
});

test('changes go on to be delivered while links are woken', async () => {
	await withLab({ mode: 'live', setup: ROWS }, async (lab) => {
		await lab.start();
		await lab.waitUntilReading();
		await lab.sql(`insert into orders values (1, 'o1')`);
		await waitUntil('the change', () =>
			lab.n8n.events().some(({ op, entity }) => op === 'c' && entity === 'order'),
		);
		await lab.waitUntilAcknowledged();
	});
});
