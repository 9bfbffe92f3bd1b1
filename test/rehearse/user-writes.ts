import type pg from 'pg';

import { ScenarioError } from './scenario-error';

/**
 * Carries out what users of a system do, and notes the ids of their transactions, so that what they
 * did can be told from what the sync did.
 */
export async function runUserSql(
	pool: pg.Pool,
	{ statements, isOneTransaction, xids }: { statements: readonly string[]; isOneTransaction: boolean; xids: Set<number> },
): Promise<void> {
	const single = statements.flatMap(splitStatements);
	const groups = isOneTransaction ? [single] : single.map((statement) => [statement]);
	const client = await pool.connect();
	let current = '';
	try {
		for (const group of groups) {
			await client.query('begin');
			for (current of group) await client.query(current);
			const { rows } = await client.query<{ xid: string | null }>('select pg_current_xact_id_if_assigned()::text as xid');
			const xid = rows[0]?.xid;
			// The log names the lower 32 bits.
			if (xid) xids.add(Number(BigInt(xid) & 0xffff_ffffn));
			await client.query('commit');
		}
		await client.query('discard all'); // Roles and settings are not handed on to the next step.
		client.release();
	} catch (error) {
		client.release(true);
		throw new ScenarioError(`${error instanceof Error ? error.message : String(error)}, in: ${current.trim()}`, { cause: error });
	}
}

/** Quoted things, in which a semicolon ends nothing: texts, names, dollar quotes, comments. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|;/g;

/** The statements of a text, one by one, without what is empty. */
export function splitStatements(text: string): string[] {
	const statements: string[] = [];
	let start = 0;
	for (const match of text.matchAll(TOKEN)) {
		if (match[0] !== ';') continue;
		statements.push(text.slice(start, match.index));
		start = match.index + 1;
	}
	statements.push(text.slice(start));
	return statements.filter((statement) => statement.trim() !== '');
}
