import { Acknowledger } from '../../../nodes/PostgresCdcTrigger/acknowledger';
import type { Patience } from '../../../nodes/PostgresCdcTrigger/patience';
import type { Progress } from '../../../nodes/PostgresCdcTrigger/progress';
import { waitUntil } from '../../support/wait-until';

interface Watched {
	readonly acknowledger: Acknowledger;
	readonly stored: bigint[];
	readonly sent: bigint[];
}

/** @param whileStored - what happens while the store notes a position */
function watched(whileStored: (acknowledger: Acknowledger) => void): Watched {
	const [stored, sent]: [bigint[], bigint[]] = [[], []];
	const progress: Progress = {
		keepsCount: true,
		position: '00000000/00000000:00000000',
		observed: async () => progress.position,
		acknowledging: async (lsn) => {
			stored.push(lsn);
			whileStored(acknowledger);
		},
	};
	const patience = { with: async (work: () => Promise<void>) => await work() } as unknown as Patience;
	const acknowledger: Acknowledger = new Acknowledger({ stream: { acknowledge: (lsn) => void sent.push(lsn) }, progress, patience });
	return { acknowledger, stored, sent };
}

test('at the end the server hears what the store has noted, and nothing that came meanwhile', async () => {
	const { acknowledger, stored, sent } = watched((one) => one.noteIdle(9n, false));
	acknowledger.noteIdle(5n, false);
	await acknowledger.finish();
	expect([stored, sent]).toEqual([[5n], [5n]]);
});

test('a store that is not there at the end is not waited for, and the server hears nothing', async () => {
	const { acknowledger, sent } = watched(() => {
		throw new Error('away');
	});
	acknowledger.noteIdle(5n, false);
	await acknowledger.finish();
	expect(sent).toEqual([]);
});

test('whoever waits for a place has it acknowledged at once, although something was a moment ago', async () => {
	const { acknowledger, sent } = watched(() => undefined);
	acknowledger.noteIdle(5n, false);
	await acknowledger.acknowledgeIdle();
	acknowledger.noteIdle(7n, false);
	await acknowledger.acknowledgeIdle();
	expect(sent).toEqual([5n]);
	acknowledger.hurry();
	await waitUntil('the place to be acknowledged', async () => {
		await acknowledger.acknowledgeIdle();
		return sent.length === 2;
	});
	expect(sent).toEqual([5n, 7n]);
});
