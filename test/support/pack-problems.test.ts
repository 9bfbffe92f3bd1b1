import { packProblems } from './pack-problems';

const NODE = 'dist/nodes/EchoFilter/EchoFilter.node.js';
const complete = [
	NODE,
	NODE.replace('.js', '.json'),
	'LICENSE.md',
	'README.md',
	'package.json',
].map((path) => ({ path, size: 10 }));

test('a complete package has no problems', () => {
	expect(packProblems(complete, [NODE])).toEqual([]);
});

test('a node that was not built is missing', () => {
	const other = 'dist/nodes/SyncWrite/SyncWrite.node.js';
	expect(packProblems(complete, [NODE, other])).toEqual([
		`${other} is missing`,
		'dist/nodes/SyncWrite/SyncWrite.node.json is missing',
	]);
});

test('tests and sources do not belong in', () => {
	const extra = ['src/core/lsn.ts', 'dist/src/core/lsn.test.js'].map((path) => ({ path, size: 1 }));
	expect(packProblems([...complete, ...extra], [NODE])).toEqual([
		'src/core/lsn.ts does not belong in',
		'dist/src/core/lsn.test.js is test code',
	]);
});

test('a package that swallowed something large is refused', () => {
	const large = { path: 'templates/dump.json', size: 6_000_000 };
	expect(packProblems([...complete, large], [NODE])).toEqual(['6000050 bytes are too many']);
});
