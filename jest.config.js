/** The Node version that runs the tests can run ES2022 as it is: only types and imports are rewritten. */
const transform = {
	'^.+\\.ts$': [
		'@swc/jest',
		{
			jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
			module: { type: 'commonjs' },
			sourceMaps: 'inline',
		},
	],
};

const shared = {
	rootDir: __dirname,
	roots: ['<rootDir>/test'],
	testEnvironment: 'node',
	transform,
	globalSetup: '<rootDir>/test/support/jest-global-setup.ts',
	globalTeardown: '<rootDir>/test/support/jest-global-teardown.ts',
};

/** A test file's suffix says what it needs; only `.e2e.test.ts` needs an installed n8n. */
module.exports = {
	testTimeout: 60_000,
	maxWorkers: 2,
	projects: [
		{
			...shared,
			displayName: 'unit',
			testMatch: ['**/*.test.ts'],
			testPathIgnorePatterns: ['/node_modules/', '\\.e2e\\.test\\.ts$'],
		},
		{ ...shared, displayName: 'e2e', testMatch: ['**/*.e2e.test.ts'] },
	],
};
