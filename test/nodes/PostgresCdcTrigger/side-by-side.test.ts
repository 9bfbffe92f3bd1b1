import { sideBySide } from '../../../nodes/PostgresCdcTrigger/side-by-side';

interface Told {
	readonly events: string[];
	source(name: string, count: number, failsAt?: number): AsyncGenerator<string, void, undefined>;
}

function told(): Told {
	const events: string[] = [];
	async function* source(name: string, count: number, failsAt = -1): AsyncGenerator<string, void, undefined> {
		events.push(`${name} begins`);
		try {
			for (let n = 1; n <= count; n += 1) {
				await Promise.resolve();
				if (n === failsAt) throw new Error(`${name} fails`);
				events.push(`${name}${n} is there`);
				yield `${name}${n}`;
			}
		} finally {
			events.push(`${name} ends`);
		}
	}
	return { events, source };
}

const settle = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

test('values of several sources come in turns, each source in its order, no more sources at once than asked for', async () => {
	const { events, source } = told();
	const taken: string[] = [];
	for await (const value of sideBySide([source('a', 3), source('b', 1), source('c', 2)], 2)) taken.push(value);
	expect(taken).toEqual(['a1', 'b1', 'a2', 'a3', 'c1', 'c2']);
	expect(events.indexOf('c begins')).toBeGreaterThan(events.indexOf('b ends'));
});

test('while a value is worked on, its source and the next one already have another', async () => {
	const { events, source } = told();
	const both = sideBySide([source('a', 5), source('b', 5)], 2);
	expect((await both.next()).value).toBe('a1');
	await settle();
	expect(events).toEqual(expect.arrayContaining(['a2 is there', 'b1 is there']));
	expect(events).not.toContain('a3 is there');
	await both.return();
	expect(events.filter((event) => event.endsWith('ends')).sort()).toEqual(['a ends', 'b ends']);
});

test('one at a time is one after the other', async () => {
	const { source } = told();
	const taken: string[] = [];
	for await (const value of sideBySide([source('a', 2), source('b', 2)], 1)) taken.push(value);
	expect(taken).toEqual(['a1', 'a2', 'b1', 'b2']);
});

test('what fails fails the loop in its turn, and ends the others', async () => {
	const { events, source } = told();
	const taken: string[] = [];
	const loop = async (): Promise<void> => {
		for await (const value of sideBySide([source('a', 9), source('b', 9, 2)], 2)) taken.push(value);
	};
	await expect(loop()).rejects.toThrow('b fails');
	expect(taken).toEqual(['a1', 'b1', 'a2']);
	expect(events.filter((event) => event.endsWith('ends')).sort()).toEqual(['a ends', 'b ends']);
});
