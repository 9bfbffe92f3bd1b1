import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const README = join(__dirname, '..', 'README.md');

/**
 * The SQL of the README under a comment `<!-- sql: NAME -->`. The demo runs it as it stands there, so
 * that what users are told to run is known to be enough.
 */
export function readmeSql(name: string): string {
	const text = readFileSync(README, 'utf8');
	const block = new RegExp(`<!-- sql: ${name} -->\\s*\`\`\`sql\\n([^]*?)\`\`\``).exec(text);
	if (block?.[1] === undefined) throw new Error(`README.md has no SQL of the name "${name}"`);
	return block[1];
}
