import { once } from 'node:events';
import { createInterface } from 'node:readline';

import type pg from 'pg';

import type { ConnectionSettings } from '../test/support/embedded-postgres';
import type { DemoDatabases } from './databases';
import { CONSOLE_PERSON } from './credentials';
import { consoleAddress, OWNER, type SyncInN8n } from './start-sync';

/** Tells where to look, and runs SQL that is typed in, until the input ends. */
export async function stayOpen(demo: SyncInN8n): Promise<void> {
	const { n8n, databases, sync, setup, reviews } = demo;
	console.log(`
The sync is running. Ctrl-C stops everything and removes it.

  waiting   ${consoleAddress(demo)}   ${CONSOLE_PERSON.user} / ${CONSOLE_PERSON.password}
            a conflict that only a person can decide: look at it, and take a side
  n8n       ${n8n.url}   ${OWNER.email} / ${OWNER.password}
  look at   ${n8n.url}/workflow/${sync.id}   the sync, with a note for each station
            ${n8n.url}/workflow/${setup.id}   the policy: change a rule, run "Publish" again
            ${n8n.url}/workflow/${reviews.id}   what waits for a person, as nodes

  the CRM   ${psql(databases.crm.appSettings)}
  billing   ${psql(databases.billing.appSettings)}

Change a row on one side and look at the other. Without psql, type the SQL here after the system's name:

  crm update customers set full_name = 'Ada King' where id = 1
  billing select * from accounts where external_id = 1
  billing update accounts set memo = 'paid' where external_id = 1
  crm select * from customers where id = 1
`);
	const input = createInterface({ input: process.stdin });
	input.on('line', (line) => void answer(databases, line));
	await once(input, 'close');
	// Without a terminal, as in the background, the input is at its end at once: the sync stays anyway.
	if (!process.stdin.isTTY) await new Promise(() => setInterval(() => undefined, 60_000));
}

function psql({ host, port, user, password, database }: ConnectionSettings): string {
	return `psql postgres://${user}:${password}@${host}:${port}/${database}`;
}

async function answer(databases: DemoDatabases, line: string): Promise<void> {
	const [name = '', ...words] = line.trim().split(/\s+/);
	if (name === '') return;
	if (name !== 'crm' && name !== 'billing') {
		console.log('Begin with "crm" or "billing".');
		return;
	}
	try {
		show(await databases[name].app.query(words.join(' ')));
	} catch (error) {
		console.log(error instanceof Error ? error.message : error);
	}
}

function show({ rows, rowCount, command }: pg.QueryResult): void {
	if (rows.length > 0) console.table(rows);
	else console.log(`${command} ${rowCount ?? 0}`);
}
