import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import packageJson from '../package.json';
import { errorPage } from './support/error-table';

const ROOT = join(__dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = ['README.md', 'DESIGN.md', 'CHANGELOG.md', 'docs/errors.md'];

/** "nodes/EchoFilter/EchoFilter.node.ts" of "dist/nodes/EchoFilter/EchoFilter.node.js". */
const sourceOf = (built: string): string => built.replace('dist/', '').replace(/\.js$/, '.ts');

function displayNames(): string[] {
	return packageJson.n8n.nodes.map((path) => {
		const [, name = ''] = /displayName: '([^']+)'/.exec(read(sourceOf(path))) ?? [];
		return name;
	});
}

test('every node is in the table of the README', () => {
	const readme = read('README.md');
	expect(displayNames().filter((name) => !readme.includes(`| **${name}** |`))).toEqual([]);
});

test('docs/errors.md says what the code says', () => {
	if (process.env['UPDATE_DOCS']) writeFileSync(join(ROOT, 'docs/errors.md'), errorPage());
	expect(read('docs/errors.md')).toBe(errorPage());
});

test.each(PAGES)('the links of %s lead somewhere', (page) => {
	const targets = [...read(page).matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
	const headings = read(page).matchAll(/^#+ (.+)$/gm);
	const anchors = [...headings].map(([, title = '']) => `#${anchorOf(title)}`);
	const broken = targets.filter((target) =>
		target.startsWith('#') ? !anchors.includes(target) : !leadsSomewhere(page, target),
	);
	expect(broken).toEqual([]);
});

test('templates name only nodes of this pack and of n8n', () => {
	const own = packageJson.n8n.nodes.map((path) => {
		const name = path.split('/').at(-2) ?? '';
		return `${packageJson.name}.${name.charAt(0).toLowerCase()}${name.slice(1)}`;
	});
	for (const file of readdirSync(join(ROOT, 'templates'))) {
		const { nodes } = JSON.parse(read(`templates/${file}`)) as { nodes: { type: string }[] };
		const foreign = nodes.map(({ type }) => type).filter((type) => !own.includes(type));
		expect(foreign.filter((type) => !type.startsWith('n8n-nodes-base.'))).toEqual([]);
	}
});

/** As GitHub makes anchors. */
function anchorOf(title: string): string {
	return title
		.toLowerCase()
		.replace(/[^\w\s-]/g, '')
		.replace(/ /g, '-');
}

function leadsSomewhere(page: string, target: string): boolean {
	const [file = ''] = target.split('#');
	return existsSync(join(ROOT, page, '..', file));
}
