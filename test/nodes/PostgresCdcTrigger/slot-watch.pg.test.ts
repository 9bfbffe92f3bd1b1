import { startPostgres } from '../../support/embedded-postgres';
import { withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

test('a slot that is about to be lost is told of while its changes can still be had', async () => {
	const settings = { max_slot_wal_keep_size: '48MB', max_wal_size: '32MB', min_wal_size: '32MB', wal_keep_size: '0' };
	const server = await startPostgres({ version: 18, settings });
	try {
		await withLab({ mode: 'live', server }, async (lab) => {
			await lab.start({ slotWatchMs: 50 });
			await lab.waitUntilReading();
			// An execution that does not end: nothing of the trigger goes on but its watch.
			let end: () => void = () => undefined;
			const hanging = new Promise<'success'>((resolve) => (end = () => resolve('success')));
			lab.n8n.workflow = async (events) => {
				await hanging;
				return await lab.observing(events);
			};
			await lab.sql(`insert into customers values (1, 'a@example.com', '')`);
			await waitUntil('the execution', () => lab.n8n.runs.some(({ events }) => events.some(({ op }) => op === 'c')));
			await waitUntil('a warning', async () => {
				if (lab.n8n.failures.length > 0) return true;
				await lab.sql(`select pg_logical_emit_message(true, 'filler', repeat('x', 1000000)) from generate_series(1, 2)`);
				return false;
			});
			const [failure] = lab.n8n.failures;
			expect(failure?.message).toMatch(/are left: after .* more it is lost/);
			expect((failure as { description?: string }).description).toContain('Nothing is lost yet');
			expect(lab.n8n.logs).toContainEqual(expect.stringMatching(/^warn: Of the log .* Nothing is lost yet/));
			expect((await lab.slot())?.walStatus).not.toBe('lost');
			end();
			await lab.n8n.waitForLog('is out of danger');
			expect(lab.n8n.errors).toEqual([]);
		});
	} finally {
		await server.stop();
	}
});
