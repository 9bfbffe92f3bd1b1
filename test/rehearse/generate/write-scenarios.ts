import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { Document, isMap, isSeq, stringify, visit } from 'yaml';

import type { Json } from '../../../src/core/canonical-json';
import { rehearsalAsMarkdown } from '../../../src/core/rehearse-table';
import { changedDocument, type PolicyVersion } from '../policy-version';
import { type GeneratedScenarios, generateScenarios } from './generate-scenarios';

/** Writes the scenarios of a policy into a folder, with the policy and the outcome table. @returns what was written, and the paths of the scenarios */
export async function writeScenarios(version: PolicyVersion, { source, folder }: { source: string; folder: string }): Promise<GeneratedScenarios & { readonly files: readonly string[] }> {
	const policyFile = `${basename(source).replace(/(\.policy)?\.ya?ml$/, '')}.policy.yaml`;
	const generated = generateScenarios(version.policy, policyFile);
	await mkdir(folder, { recursive: true });
	// Who has to sign does not matter here: without it, nothing would be played.
	await writeFile(join(folder, policyFile), stringify(changedDocument(version.document, { signOff: 'off' })));
	await writeFile(join(folder, 'outcome.md'), rehearsalAsMarkdown(generated.rehearsal));
	const files = generated.scenarios.map(({ file }) => join(folder, file));
	for (const [place, { document }] of generated.scenarios.entries()) await writeFile(files[place] ?? '', yamlOf(document));
	return { ...generated, files };
}

/** Rows in one line each, as people write them. */
function yamlOf(scenario: Readonly<Record<string, Json>>): string {
	const document = new Document(scenario);
	visit(document, {
		Pair: (_, pair) => {
			const isRows = isSeq(pair.value) && pair.value.items.every((one) => isMap(one)) && String(pair.key) !== 'steps';
			if (isRows && isSeq(pair.value)) for (const row of pair.value.items) if (isMap(row)) row.flow = true;
		},
	});
	return document.toString({ lineWidth: 160 });
}
