import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { INodeProperties, INodeType } from 'n8n-workflow';

import { DeadLetterQueue } from '../../nodes/DeadLetterQueue/DeadLetterQueue.node';
import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { IdempotencyGuard } from '../../nodes/IdempotencyGuard/IdempotencyGuard.node';
import { PostgresCdcTrigger } from '../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import { ReconcileDiff } from '../../nodes/ReconcileDiff/ReconcileDiff.node';
import { SyncConsoleTrigger } from '../../nodes/SyncConsoleTrigger/SyncConsoleTrigger.node';
import { SyncMonitor } from '../../nodes/SyncMonitor/SyncMonitor.node';
import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import { SyncRecord } from '../../nodes/SyncRecord/SyncRecord.node';
import { SyncWrite } from '../../nodes/SyncWrite/SyncWrite.node';
import { VersionVectorCheck } from '../../nodes/VersionVectorCheck/VersionVectorCheck.node';

const ROOT = join(__dirname, '../..');

interface Manifest {
	readonly name: string;
	readonly n8n: { readonly nodes: readonly string[]; readonly credentials: readonly string[] };
}
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

const CLASSES = {
	DeadLetterQueue,
	EchoFilter,
	FieldAuthorityMerge,
	IdempotencyGuard,
	PostgresCdcTrigger,
	ReconcileDiff,
	SyncConsoleTrigger,
	SyncMonitor,
	SyncPolicy,
	SyncRecord,
	SyncWrite,
	VersionVectorCheck,
};
const NODES = Object.entries(CLASSES).map(([name, Node]): [string, INodeType] => [
	name,
	new Node(),
]);

test('every node is in the package, under the path that it is built to', () => {
	const built = NODES.map(([name]) => `dist/nodes/${name}/${name}.node.js`).sort();
	expect([...manifest.n8n.nodes].sort()).toEqual(built);
});

describe.each(NODES)('%s', (folder, { description, methods }) => {
	test('has an icon for light and for dark, and words to find it by', () => {
		const { light, dark } = description.icon as { light: string; dark: string };
		for (const icon of [light, dark]) {
			expect(existsSync(join(ROOT, 'nodes', folder, icon.replace('file:', '')))).toBe(true);
		}
		const codex = JSON.parse(
			readFileSync(join(ROOT, 'nodes', folder, `${folder}.node.json`), 'utf8'),
		) as Record<string, string[]>;
		expect(codex['node']).toBe(`${manifest.name}.${description.name}`);
		expect(codex['alias']?.length).toBeGreaterThan(3);
	});

	test('shows fields only by values of fields that are there', () => {
		const byName = new Map(description.properties.map((property) => [property.name, property]));
		const conditions = [...description.properties, ...(description.credentials ?? [])].flatMap(
			(one) => Object.entries({ ...one.displayOptions?.show, ...one.displayOptions?.hide }),
		);
		// A name with @ is n8n's own: '@version' is the node's.
		for (const [name, values] of conditions.filter(([field]) => !field.startsWith('@'))) {
			const choices = choicesOf(byName.get(name));
			expect(choices).toEqual(expect.arrayContaining([...(values as unknown[])]));
		}
	});

	test('keeps its operation in the panel, from which the editor takes what a choice of credentials depends on', () => {
		const choosing = (description.credentials ?? []).flatMap(({ displayOptions }) =>
			Object.keys(displayOptions?.show ?? {}),
		);
		const dependsOn = description.properties
			.filter(({ name }) => choosing.includes(name))
			.flatMap(({ displayOptions }) => Object.keys(displayOptions?.show ?? {}));
		expect([...choosing, ...dependsOn]).not.toContain('operation');
	});

	test('explains every field whose label does not say it all', () => {
		const mute = description.properties.filter(
			({ type, description: text, displayName }) =>
				!text &&
				!['notice', 'options', 'fixedCollection', 'collection'].includes(type) &&
				displayName.length < 20,
		);
		expect(mute.map(({ displayName }) => displayName)).toEqual([]);
	});

	test('tests its credentials with a function that it has', () => {
		for (const { testedBy } of description.credentials ?? []) {
			if (typeof testedBy === 'string') expect(methods?.credentialTest).toHaveProperty(testedBy);
		}
	});
});

function choicesOf(property: INodeProperties | undefined): unknown[] {
	if (property?.type === 'boolean') return [true, false];
	return (property?.options ?? []).map((option) => ('value' in option ? option.value : undefined));
}
