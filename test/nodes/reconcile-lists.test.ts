import { ReconcileDiff } from '../../nodes/ReconcileDiff/ReconcileDiff.node';
import { executeNode } from '../support/fake-execute';

const items = (...rows: Record<string, unknown>[]) => rows.map((json) => ({ json: json as Record<string, string> }));

async function compared(a: Record<string, unknown>[], b: Record<string, unknown>[], parameters: Record<string, unknown> = {}) {
	const { outputs } = await executeNode(new ReconcileDiff(), {
		parameters: { operation: 'compareLists', key: 'id', ...parameters },
		items: items(...a),
		otherItems: items(...b),
	});
	return outputs.map((output) => output.map(({ json }) => json));
}

test('compares two lists of items without a policy or a store', async () => {
	const fields = { field: [{ a: 'name', b: 'full_name', codec: 'trim', owner: 'b' }, { a: 'mail' }] };
	const [different, onlyInA, onlyInB, summary] = await compared(
		[{ id: 1, name: 'Ann ', mail: 'x' }, { id: 2, name: 'Bob' }, { id: 5 }],
		[{ ref: '1', full_name: 'Ann', mail: 'y' }, { ref: 2, full_name: 'Rob' }, { ref: 9 }],
		{ key: 'id = ref', fields },
	);
	expect(different).toMatchObject([
		{ key: { id: 1 }, fields: [{ field: 'mail', values: { a: 'x', b: 'y' }, action: 'review' }] },
		{ key: { id: 2 }, fields: [{ field: 'name', values: { a: 'Bob', b: 'Rob' }, action: 'update a' }], actions: ['update a'] },
	]);
	expect([onlyInA, onlyInB]).toEqual([[{ id: 5 }], [{ ref: 9 }]]);
	expect(summary).toMatchObject([{ equal: false, rows: { a: 3, b: 3 }, differences: 2, onlyIn: { a: 1, b: 1 }, byField: { mail: 1, name: 1 } }]);
});

test('compares all properties when none are named, and works when one list is empty', async () => {
	const [different, , , summary] = await compared([{ id: 1, x: 1, y: null }], [{ id: 1, x: 1, y: '' }]);
	expect(different).toMatchObject([{ fields: [{ field: 'y', values: { a: null, b: '' } }] }]);
	expect(summary).toMatchObject([{ differences: 1 }]);
	expect((await compared([], [{ id: 1 }]))[2]).toEqual([{ id: 1 }]);
	expect((await compared([], []))[3]).toMatchObject([{ equal: true }]);
});

test('lists records that occur twice, with where they are', async () => {
	const [different] = await compared([{ id: 1, x: 1 }, { id: 1, x: 2 }], [{ id: 1, x: 1 }]);
	expect(different).toEqual([{ duplicate: true, side: 'a', actions: ['review'], rows: [{ id: 1, x: 1 }, { id: 1, x: 2 }] }]);
});

test.each([
	['a key of three names', { key: 'a = b = c' }, /"Key" must be names/],
	['a codec that is not there', { fields: { field: [{ a: 'x', codec: 'dat' }] } }, /unknown codec "dat"/],
	['a field without a name', { fields: { field: [{ a: '' }] } }, /"Name in A" must not be empty/],
])('refuses %s', async (_, parameters, message) => {
	await expect(compared([{ id: 1 }], [], parameters)).rejects.toThrow(message);
});
