import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { templateCredentials } from '../demo/credentials';
import type { WorkflowJson } from '../demo/n8n-client';
import { readmeSql } from '../demo/readme-sql';
import { ERROR_POLICY } from '../src/core/errors';
import { parsePolicy } from '../src/core/parse-policy';
import { policyHash } from '../src/core/policy';
import { lintPolicy } from '../src/core/policy-lint';
import { ledgerSql } from '../src/postgres/ledger';
import { errorPage } from './support/error-table';

const ROOT = join(__dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const README = read('README.md');

const DESCRIPTIONS = nodeDescriptions();
const TEMPLATES = readdirSync(join(ROOT, 'templates')).map((file) => {
	return [file, JSON.parse(read(join('templates', file))) as WorkflowJson] as const;
});

/** Of all nodes that package.json names, by type. */
function nodeDescriptions(): Map<string, INodeTypeDescription> {
	const { name, n8n } = JSON.parse(read('package.json')) as {
		name: string;
		n8n: { nodes: string[] };
	};
	return new Map(
		n8n.nodes.map((path) => {
			const source = path.replace(/^dist\//, '').replace(/\.js$/, '');
			const [node] = Object.values(
				jest.requireActual<Record<string, new () => INodeType>>(join(ROOT, source)),
			);
			if (!node) throw new Error(`${source} exports nothing`);
			const { description } = new node();
			return [`${name}.${description.name}`, description];
		}),
	);
}

describe('README', () => {
	test('it tells of every node, its outputs and its credentials', () => {
		for (const { displayName, outputNames = [] } of DESCRIPTIONS.values()) {
			const row = README.split('\n').find((line) => line.startsWith(`| **${displayName}** |`));
			expect([displayName, row]).toEqual([displayName, expect.any(String)]);
			for (const output of outputNames) expect(row).toContain(output);
		}
		for (const credential of ['Postgres Replication API', 'Sync Store API'])
			expect(README).toContain(`**${credential}**`);
	});

	test('its policy is the one of the template and of the tests', () => {
		const [, inReadme = ''] = /```yaml\n([^]*?)```/.exec(README) ?? [];
		const hashes = [inReadme, read('test/fixtures/crm-billing.policy.yaml'), templatePolicy()].map(
			(text) => policyHash(parsePolicy(text)),
		);
		expect(new Set(hashes).size).toBe(1);
	});

	test('its ledger is the one that Sync Write would make', () => {
		const words = (sql: string) => sql.replaceAll(/--.*/g, '').split(/\s+/).join(' ');
		for (const statement of ledgerSql('bisync').split(';\n')) {
			expect(words(readmeSql('system'))).toContain(
				words(statement.replaceAll('"', '').replace(/;$/, '')),
			);
		}
	});

	test('the error codes it names exist', () => {
		const named = [...README.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code]) => code);
		expect(named.filter((code) => !Object.hasOwn(ERROR_POLICY, String(code)))).toEqual([]);
	});
});

test('docs/errors.md says what the code says', () => {
	if (process.env['UPDATE_DOCS'] === '1') writeFileSync(join(ROOT, 'docs/errors.md'), errorPage());
	expect(read('docs/errors.md')).toBe(errorPage());
});

test.each(['README.md', 'DESIGN.md', 'CHANGELOG.md', 'docs/errors.md', 'docs/codecs.md', 'docs/stores.md', 'docs/api.md', 'docs/policy.md', 'docs/console.md', 'docs/records.md', 'docs/monitor.md', 'docs/trigger.md', 'docs/slots.md', 'docs/existing-rows.md', ...readdirSync(join(ROOT, 'docs/runbooks')).map((page) => `docs/runbooks/${page}`)])(
	'the links of %s lead somewhere',
	(file) => {
		const text = read(file);
		const targets = [...text.matchAll(/\]\(([^)]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
			([, link, image]) => link ?? image ?? '',
		);
		const broken = targets.filter((target) => !leadsSomewhere(target, file, text));
		expect(broken).toEqual([]);
	},
);

function leadsSomewhere(target: string, file: string, text: string): boolean {
	if (target.startsWith('https://')) return true;
	const [path = '', heading] = target.split('#');
	if (path !== '' && !existsSync(join(ROOT, dirname(file), path))) return false;
	return heading === undefined || headings(path === '' ? text : read(join(dirname(file), path))).includes(heading);
}

/** As GitHub and npm make addresses of headings. */
function headings(text: string): string[] {
	return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
		title
			.toLowerCase()
			.replaceAll(/[^a-z0-9 -]/g, '')
			.replaceAll(' ', '-'),
	);
}

/** Of n8n itself, that the templates may use. */
const N8N_NODES = [
	...['stickyNote', 'manualTrigger', 'webhook', 'extractFromFile', 'crypto', 'if', 'respondToWebhook'],
	...['httpRequest', 'noOp', 'splitOut', 'scheduleTrigger', 'stopAndError', 'errorTrigger'],
];

describe.each(TEMPLATES)('the template %s', (_file, { nodes, connections, settings }) => {
	const own = nodes.filter(({ type }) => type.startsWith('n8n-nodes-bisync.'));

	test('it uses nodes that exist, with parameters that they have', () => {
		for (const { name, type, parameters } of own) {
			const known = DESCRIPTIONS.get(type)?.properties.map((property) => property.name) ?? [];
			expect([
				name,
				Object.keys(parameters).filter((parameter) => !known.includes(parameter)),
			]).toEqual([name, []]);
		}
		const others = nodes.filter((node) => !own.includes(node)).map(({ type }) => type);
		expect(
			others.filter((type) => !N8N_NODES.includes(type.replace('n8n-nodes-base.', ''))),
		).toEqual([]);
	});

	test('its wires lead from nodes that exist to nodes that exist', () => {
		const names = nodes.map(({ name }) => name);
		const targets = JSON.stringify(connections).matchAll(/"node":"([^"]+)"/g);
		expect(
			[...Object.keys(connections), ...[...targets].map(([, name]) => name)].filter(
				(name) => !names.includes(String(name)),
			),
		).toEqual([]);
		expect(new Set(names).size).toBe(names.length);
	});

	test('its credentials are found by the names that the README gives them', () => {
		const unused = { host: '', port: 0, user: '', password: '', database: '' };
		const system = { syncSettings: unused } as never;
		const known = templateCredentials({ crm: system, billing: system, storeSettings: unused });
		for (const [type, { id, name }] of own.flatMap(({ credentials }) =>
			Object.entries(credentials ?? {}),
		)) {
			expect(id).toBeNull();
			expect(known).toContainEqual(expect.objectContaining({ type, name }));
			expect(README).toContain(`*${name}*`);
		}
	});

	test('it runs its nodes in the order of the canvas', () => {
		expect(settings).toMatchObject({ executionOrder: 'v1' });
	});
});

test.each(['two-way-postgres.json', 'api-postgres.json'])('%s saves no execution data, because items hold personal data', (name) => {
	const [, sync] = TEMPLATES.find(([file]) => file === name) ?? [];
	expect(sync?.settings).toMatchObject({
		saveDataSuccessExecution: 'none',
		saveDataErrorExecution: 'none',
		saveManualExecutions: false,
	});
});

test('the policy of the template has no findings', () => {
	expect(lintPolicy(parsePolicy(templatePolicy()))).toEqual([]);
});

function templatePolicy(): string {
	const [, setup] = TEMPLATES.find(([file]) => file === 'setup-policy.json') ?? [];
	return String(setup?.nodes.find(({ name }) => name === 'Publish')?.parameters['document']);
}
