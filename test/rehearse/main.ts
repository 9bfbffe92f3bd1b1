import './typescript-first';

import { inspect } from 'node:util';

import { parseArguments, USAGE } from './arguments';
import { findScenarios } from './find-scenarios';
import { rehearsePolicyFile } from './generate/rehearse-policy-file';
import { rehearse } from './rehearse';
import { ScenarioError } from './scenario-error';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** `npm run rehearse -- FILE…` @returns the exit code */
async function main(): Promise<number> {
	const given = parseArguments(process.argv.slice(2));
	if ('problem' in given) {
		process.stderr.write(`${given.problem}\n\n${USAGE}\n`);
		return 2;
	}
	if (given.isHelp) {
		print(USAGE);
		return 0;
	}
	if (given.generate !== null) return await rehearsePolicyFile(given.generate, given, print);
	return await rehearse(await findScenarios(given.paths), given, print);
}

main().then(
	(code) => process.exit(code),
	(error: unknown) => {
		process.stderr.write(`${error instanceof ScenarioError ? error.message : inspect(error)}\n`);
		process.exit(1);
	},
);
