import { waitUntil } from '../test/support/wait-until';
import { createCredentials, templateCredentials } from './credentials';
import type { DemoDatabases } from './databases';
import { importTemplate, installPack } from './install-pack';
import { N8nClient, type Owner, type StoredWorkflow } from './n8n-client';
import { createN8n, type N8nServer } from './n8n-server';
import { type Say, timed } from './progress';
import { runNode } from './run-node';

/** The account of the throw-away n8n. */
export const OWNER: Owner = { email: 'demo@example.com', password: 'Demo-1234' };

/** A real n8n with this pack, its templates and credentials. */
export interface SyncInN8n {
	readonly databases: DemoDatabases;
	readonly n8n: N8nServer;
	readonly client: N8nClient;
	/** The workflow that syncs. */
	readonly sync: StoredWorkflow;
	/** The workflow with Publish, First Contact Report and Approve First Contact. */
	readonly setup: StoredWorkflow;
	readonly reviews: StoredWorkflow;
	/** The workflow that serves the pages of the console. */
	readonly console: StoredWorkflow;
}

/**
 * Starts n8n and imports everything; nothing is published or activated yet.
 *
 * @param variables - more of them, for n8n's process
 */
export async function startN8n(databases: DemoDatabases, say: Say, variables: Readonly<Record<string, string>> = {}): Promise<SyncInN8n> {
	const n8n = await createN8n({ database: databases.n8nSettings, say, variables });
	try {
		await installPack(n8n.folder);
		await timed('starting n8n', async () => await n8n.start());
		const client = new N8nClient(n8n.url);
		await client.signUp(OWNER);
		await createCredentials(client, templateCredentials(databases));
		const sync = await importTemplate(client, 'two-way-postgres.json');
		const setup = await importTemplate(client, 'setup-policy.json');
		const reviews = await importTemplate(client, 'review-queue.json');
		const console = await importTemplate(client, 'review-console.json');
		return { databases, n8n, client, sync, setup, reviews, console };
	} catch (error) {
		await n8n.remove();
		throw error;
	}
}

/** Where the pages of the console are, once its workflow is active. */
export const consoleAddress = ({ n8n }: SyncInN8n): string => `${n8n.url}/webhook/sync-console`;

/** Activates a workflow and waits until its triggers run. */
export async function activate(client: N8nClient, workflowId: string): Promise<void> {
	await client.activate(workflowId);
	await waitUntil('the triggers to start', async () => {
		const { status, triggers } = await client.publicationStatus(workflowId);
		const failed = triggers.find(({ errorMessage }) => errorMessage !== null);
		if (failed) throw new Error(`a trigger did not start: ${failed.errorMessage}`);
		return status === 'published';
	});
}

/** Publishes the policy of the template, as the person does who sets the sync up. */
export async function publishPolicy({
	client,
	setup,
}: SyncInN8n): Promise<Record<string, unknown>> {
	return await runNode(client, setup, 'Publish');
}

/** What first contact found; waits until both tables have been read. */
export async function firstContactReport({
	client,
	setup,
}: SyncInN8n): Promise<FirstContactReport> {
	return await waitUntil(
		'both tables to be read',
		async () => {
			const report = (await runNode(
				client,
				setup,
				'First Contact Report',
			)) as unknown as FirstContactReport;
			return Object.values(report.read).every((state) => state === 'read') && report;
		},
		{ timeoutMs: 300_000, everyMs: 500 },
	);
}

export interface FirstContactReport {
	readonly read: Readonly<Record<string, string>>;
	readonly summary: readonly string[];
	readonly entities: readonly {
		readonly linkedEqual: number;
		readonly linkedDifferent: number;
		readonly onlyIn: Readonly<Record<string, number>>;
	}[];
}

/** A person puts their name into the node and runs it: from here on the sync writes. */
export async function approveFirstContact({
	client,
	setup,
}: SyncInN8n): Promise<Record<string, unknown>> {
	return await runNode(client, setup, 'Approve First Contact', { by: OWNER.email });
}
