import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { rehearsalAsMarkdown } from '../../../src/core/rehearse-table';
import type { GenerateOptions, RehearseOptions } from '../arguments';
import { readPolicyFile } from '../read-scenario';
import { rehearse, type Say } from '../rehearse';
import { writeScenarios } from './write-scenarios';

/** Makes the scenarios of a policy, plays them on databases, and prints what each case comes to. @returns the exit code */
export async function rehearsePolicyFile({ source, folder }: GenerateOptions, options: RehearseOptions, say: Say): Promise<number> {
	const version = readPolicyFile(source);
	const place = folder ?? (await mkdtemp(join(tmpdir(), 'bisync-rehearsal-')));
	try {
		const { files, left, rehearsal } = await writeScenarios(version, { source, folder: place });
		say(`${files.length} scenarios were made of ${source}${folder === null ? '' : `, in ${folder}`}`);
		const code = files.length === 0 ? 1 : await rehearse(files, options, say);
		say(`\n${rehearsalAsMarkdown(rehearsal)}`);
		if (left.length > 0) say(`Not played on databases:\n${left.map((line) => `  ${line}`).join('\n')}`);
		say(code === 0 ? 'The databases did what the table says.' : 'The databases did not do all that the table says: see FAIL above.');
		return code;
	} finally {
		if (folder === null) await rm(place, { recursive: true, force: true });
	}
}
