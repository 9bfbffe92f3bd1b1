import { parseArgs } from 'node:util';

import { STORE_KINDS, type StoreKind } from './store-home';

export const USAGE = `Rehearses a sync policy: runs scenarios with the real nodes on two real Postgres servers.

  npm run rehearse -- [--store postgres|redis|memory] [--keep-going] FILE-or-FOLDER…
  npm run rehearse -- [--store …] --policy FILE [--into FOLDER]

  FILE-or-FOLDER   scenarios: YAML files, or folders with such files (*.policy.yaml are policies)
  --policy         makes the scenarios itself: each field of this policy in each case, on invented tables; prints the
                   table of what each case comes to, and what the databases did otherwise
  --into           keeps these scenarios, and the table, in this folder
  --store          where the sync keeps its state: postgres (default), redis, or memory, which is quicker
  --keep-going     goes on after a scenario that failed
  --help           this text

Each scenario is "ok", or "FAIL" with what was found instead and everything that happened. The exit
code is 0 when all passed, 1 when one failed, 2 when the command cannot be understood. How to write
scenarios: docs/rehearse.md`;

/** A policy, from which scenarios are made. */
export interface GenerateOptions {
	readonly source: string;
	/** Null: they are not kept. */
	readonly folder: string | null;
}

export interface RehearseOptions {
	readonly store: StoreKind;
	readonly keepGoing: boolean;
}

export type Arguments =
	| (RehearseOptions & { readonly paths: readonly string[]; readonly generate: GenerateOptions | null; readonly isHelp: boolean })
	| { readonly problem: string };

export function parseArguments(words: readonly string[]): Arguments {
	try {
		const { values, positionals } = parseArgs({
			args: [...words],
			allowPositionals: true,
			options: {
				store: { type: 'string', default: 'postgres' },
				'keep-going': { type: 'boolean', default: false },
				policy: { type: 'string' },
				into: { type: 'string' },
				help: { type: 'boolean', short: 'h', default: false },
			},
		});
		const store = STORE_KINDS.find((kind) => kind === values.store);
		if (!store) return { problem: `--store must be ${STORE_KINDS.join(', ')}, not "${values.store}"` };
		const { policy: source, into: folder = null } = values;
		if (source === undefined && folder !== null) return { problem: '--into says where the scenarios of a policy go: name one with --policy.' };
		if (source !== undefined && positionals.length > 0) return { problem: 'Name either a policy, or scenarios.' };
		if (!values.help && source === undefined && positionals.length === 0) return { problem: 'Name a scenario, or a folder with scenarios.' };
		const generate = source === undefined ? null : { source, folder };
		return { store, keepGoing: values['keep-going'] || generate !== null, paths: positionals, generate, isHelp: values.help };
	} catch (error) {
		return { problem: error instanceof Error ? error.message : String(error) };
	}
}
