import { configWithoutCloudSupport } from '@n8n/node-cli/eslint';
import tseslint from 'typescript-eslint';

/** n8n's rules that a self-hosted pack with database drivers cannot keep; all others stay on. */
const N8N_RULES_OFF = {
	// The pack speaks Postgres' replication protocol and Redis; n8n offers nodes no drivers for them.
	'@n8n/community-nodes/no-runtime-dependencies': 'off',
	// Whoever already has n8n's own Postgres or Redis credential should not have to type it again.
	'@n8n/community-nodes/no-credential-reuse': 'off',
	// Without the overrides the development install does not resolve; they have no effect on users.
	'@n8n/community-nodes/no-overrides-field': 'off',
};

/** Imports point down only: nodes, then store, postgres and console, then core. */
const ZONES = [
	['src/core', '.', ['src/core', 'node_modules']],
	['src/console', '.', ['src/console', 'src/core', 'node_modules']],
	['src/postgres', '.', ['src/postgres', 'src/core', 'node_modules']],
	['src/store', '.', ['src/store', 'src/postgres', 'src/core', 'node_modules']],
	['nodes', '.', ['nodes', 'credentials', 'src', 'node_modules']],
	['credentials', '.', ['credentials', 'node_modules']],
].map(([target, from, except]) => ({ target, from, except }));

const N8N_ONLY_IN_NODES = {
	regex: '^n8n-',
	message: 'src/ works without n8n: only nodes/ and credentials/ know it.',
};
const PG_ONLY_BELOW = {
	regex: '^pg($|/)',
	message: 'Only src/postgres and src/store/postgres-* talk to Postgres.',
};
const REDIS_ONLY_BELOW = {
	regex: '^ioredis($|/)',
	message: 'Only src/store/redis-* talks to Redis.',
};
/** Core may use what computes; a driver, a file, a timer or n8n makes it impure. */
const CORE_IS_PURE = {
	regex: '^(?!\\.|zod/v4$|yaml$|luxon$|csv-parse/sync$|libphonenumber-js/min$|@skyra/jaro-winkler$|node:crypto$)',
	message: 'src/core is pure: only zod/v4, yaml, luxon, phone numbers, the likeness of texts, hashes and its own files.',
};
const HASHES_ONLY = {
	name: 'node:crypto',
	allowImportNames: ['createHash', 'createHmac', 'timingSafeEqual'],
	message: 'src/core is pure: hashes yes, randomness no.',
};

const NO_ENUM = {
	selector: 'TSEnumDeclaration',
	message: 'Use a union of string literals: it is its own documentation in data and logs.',
};
const CLOCK_IS_AN_ARGUMENT = 'src/core has no clock: take the time as an argument.';
const NO_CLOCK = [
	{
		selector: "NewExpression[callee.name='Date'][arguments.length=0]",
		message: CLOCK_IS_AN_ARGUMENT,
	},
	{ selector: "CallExpression[callee.name='Date']", message: CLOCK_IS_AN_ARGUMENT },
];
const IMPURE_PROPERTIES = [
	{ object: 'Date', property: 'now', message: CLOCK_IS_AN_ARGUMENT },
	{ object: 'Math', property: 'random', message: 'src/core has no randomness.' },
	{ property: 'randomUUID', message: 'src/core has no randomness.' },
];
const IMPURE_GLOBALS = ['process', 'performance', 'setTimeout', 'setInterval', 'setImmediate'];

/** @returns the configuration that forbids these imports in `files`; the last match wins as a whole. */
const forbidImports = (files, patterns, extra = {}) => ({
	files,
	rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns, ...extra }] },
});

const sizeLimits = ({ file, func }) => {
	const option = (max) => ['error', { max, skipBlankLines: true, skipComments: true }];
	return {
		'max-lines': option(file),
		'max-lines-per-function': func === undefined ? 'off' : option(func),
	};
};

export default tseslint.config(
	{ ignores: ['dist/', 'coverage/', 'demo/n8n/', '**/node_modules/'] },
	configWithoutCloudSupport,
	{ files: ['**/*.ts', 'package.json'], rules: N8N_RULES_OFF },
	{
		// n8n's error classes are for nodes: the rest does not know n8n, and nodes translate its SyncError.
		files: ['**/*.ts'],
		ignores: ['nodes/**', 'credentials/**'],
		rules: { '@n8n/community-nodes/require-node-api-error': 'off' },
	},
	{
		// Tests, demo and benches start the servers they talk to.
		files: ['test/**/*.ts', 'demo/**/*.ts', 'bench/**/*.ts'],
		rules: { '@n8n/community-nodes/no-dangerous-functions': 'off' },
	},
	{
		files: ['**/*.ts'],
		languageOptions: {
			parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
		},
		rules: {
			'@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
			'@typescript-eslint/no-explicit-any': 'error',
			'@typescript-eslint/no-floating-promises': 'error',
			// A leading underscore says: named only to be left out.
			'@typescript-eslint/no-unused-vars': [
				'error',
				{ argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
			],
			'@typescript-eslint/only-throw-error': 'error',
			// A `default` is an answer for every case; without one, a new case must not go unnoticed.
			'@typescript-eslint/switch-exhaustiveness-check': [
				'error',
				{ considerDefaultExhaustiveForUnions: true },
			],
			'import-x/no-default-export': 'error',
			'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones: ZONES }],
			'no-restricted-syntax': ['error', NO_ENUM],
			complexity: ['error', 15],
			'max-params': ['error', 4],
			...sizeLimits({ file: 300, func: 50 }),
		},
	},
	forbidImports(['src/**/*.ts'], [N8N_ONLY_IN_NODES, PG_ONLY_BELOW, REDIS_ONLY_BELOW]),
	forbidImports(
		['src/postgres/**/*.ts', 'src/store/postgres-*.ts'],
		[N8N_ONLY_IN_NODES, REDIS_ONLY_BELOW],
	),
	forbidImports(['src/store/redis-*.ts'], [N8N_ONLY_IN_NODES, PG_ONLY_BELOW]),
	forbidImports(['src/core/**/*.ts'], [CORE_IS_PURE], { paths: [HASHES_ONLY] }),
	forbidImports(['nodes/**/*.ts', 'credentials/**/*.ts'], [PG_ONLY_BELOW, REDIS_ONLY_BELOW]),
	{
		files: ['src/core/**/*.ts'],
		rules: {
			'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
			'no-restricted-properties': ['error', ...IMPURE_PROPERTIES],
			'no-restricted-syntax': ['error', NO_ENUM, ...NO_CLOCK],
		},
	},
	{
		files: ['demo/**', 'bench/**', 'test/*/main.ts', 'test/support/pack-check.ts'],
		rules: { 'no-console': 'off' },
	},
	{ files: ['test/**/*.ts'], rules: sizeLimits({ file: 400 }) },
	{
		// Jest calls the default export of these two.
		files: ['test/support/jest-global-*.ts'],
		rules: { 'import-x/no-default-export': 'off' },
	},
);
