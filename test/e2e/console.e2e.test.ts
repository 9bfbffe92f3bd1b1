import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

import { CONSOLE_PERSON } from '../../demo/credentials';
import { type DemoDatabases, startDatabases } from '../../demo/databases';
import { importTemplate } from '../../demo/install-pack';
import type { WorkflowJson } from '../../demo/n8n-client';
import { say } from '../../demo/progress';
import { activate, approveFirstContact, consoleAddress, firstContactReport, publishPolicy, startN8n, type SyncInN8n } from '../../demo/start-sync';
import { openReviews, waitUntilSettled } from '../../demo/store-facts';
import { FIRST_CONTACT } from '../../demo/tables';
import { openPool } from '../../src/postgres/open-pool';
import { joinRecords, partRecord } from '../../src/store/link-by-hand';
import { PostgresStore } from '../../src/store/postgres-store';
import { waitUntil } from '../support/wait-until';

const MINUTE_MS = 60_000;
/** Where pictures of the pages go, if anywhere. */
const PICTURES = process.env['CONSOLE_PICTURES'];

let databases: DemoDatabases;
let sync: SyncInN8n;
let browser: Browser;

beforeAll(async () => {
	databases = await startDatabases();
	sync = await startN8n(databases, say);
	await publishPolicy(sync);
	await activate(sync.client, sync.sync.id);
	await firstContactReport(sync);
	await activate(sync.client, sync.console.id);
	await approveFirstContact(sync);
	await waitUntilSettled(databases, { open: FIRST_CONTACT.reviews });
	// As root, Chromium's own sandbox cannot be set up; it only ever sees the n8n of this machine.
	browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
}, 15 * MINUTE_MS);

afterAll(async () => {
	await browser?.close();
	await sync?.n8n.remove();
	await databases?.stop();
}, MINUTE_MS);

const address = (): string => consoleAddress(sync);

async function visit(options: BrowserContextOptions = {}): Promise<Page> {
	const context = await browser.newContext({ httpCredentials: { username: CONSOLE_PERSON.user, password: CONSOLE_PERSON.password }, viewport: { width: 1_200, height: 900 }, ...options });
	const page = await context.newPage();
	await page.goto(address());
	return page;
}

async function picture(page: Page, name: string): Promise<void> {
	if (PICTURES === undefined) return;
	mkdirSync(PICTURES, { recursive: true });
	await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

test('without the password there is nothing to see', async () => {
	const response = await fetch(address());
	expect(response.status).toBe(401);
	expect(await response.text()).not.toContain('crm-billing');
});

test('the pages fit a phone, and are there light and dark', async () => {
	for (const [name, options] of [
		['phone', { viewport: { width: 390, height: 800 } }],
		['dark', { colorScheme: 'dark' }],
		['light', {}],
	] as const) {
		const page = await visit(options);
		await picture(page, `reviews-${name}`);
		await page.locator('table a').first().click();
		await page.getByRole('heading', { name: 'Decide', exact: true }).waitFor();
		await picture(page, `review-${name}`);
		const { width = 0 } = (await page.locator('main').boundingBox()) ?? {};
		expect(width).toBeLessThanOrEqual(page.viewportSize()?.width ?? 0);
		await page.getByRole('button', { name: 'Show masked values' }).click();
		await page.locator('mark').first().waitFor();
		await picture(page, `revealed-${name}`);
		await page.getByRole('link', { name: "The record's whole history" }).click();
		await page.getByRole('heading', { name: 'History' }).waitFor();
		await picture(page, `record-${name}`);
		await page.context().close();
	}
});

test.each(['light', 'dark'] as const)('nothing on any page keeps people out, in %s colours (axe-core)', async (colorScheme) => {
	const page = await visit({ colorScheme });
	await page.locator('table a').first().click();
	const review = page.url();
	await page.getByRole('link', { name: "The record's whole history" }).click();
	const found: string[] = [];
	for (const url of [address(), review, page.url(), ...['records&q=ann', 'health', 'runs', 'policy'].map((view) => `${address()}?view=${view}`)]) {
		await page.goto(url);
		await picture(page, `${new URL(url).searchParams.get('view') ?? 'list'}-${colorScheme}`);
		found.push(...(await violationsOn(await page.content(), colorScheme)).map((one) => `${new URL(url).search} ${one}`));
	}
	expect(found).toEqual([]);
	await page.context().close();
});

/** Nothing runs on the console's own pages, so what was loaded is looked at on an empty one. */
async function violationsOn(content: string, colorScheme: 'light' | 'dark'): Promise<string[]> {
	const context = await browser.newContext({ colorScheme, viewport: { width: 1_200, height: 900 } });
	const page = await context.newPage();
	await page.setContent(content);
	await page.evaluate(axe.source);
	const { violations } = await page.evaluate(async () => await (globalThis as unknown as { axe: typeof axe }).axe.run());
	await context.close();
	return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

test('several items are decided at once after a preview, and a record is frozen', async () => {
	const page = await visit();
	await page.goto(`${address()}?view=records&q=1`);
	await page.locator('main ul a').first().click();
	await page.getByLabel('because').fill('being looked at');
	await page.getByRole('button', { name: 'Freeze', exact: true }).click();
	await page.getByText('frozen by demo').first().waitFor();
	await picture(page, 'frozen');
	await page.getByRole('button', { name: 'Unfreeze all' }).click();
	await page.getByText('frozen by demo').first().waitFor({ state: 'detached' });
	await page.goto(address());
	await page.locator('input[type=checkbox]').first().check();
	await page.getByRole('button', { name: 'Show what this would do' }).click();
	await page.getByRole('button', { name: /1 item$/ }).waitFor();
	await picture(page, 'bulk');
	await page.context().close();
});

test('of two people who decide at once the second hears who was first, and the decision reaches both systems', async () => {
	const [first, second] = [await visit(), await visit()];
	for (const page of [first, second]) await page.locator('table a').first().click();
	await first.getByRole('button', { name: "Take crm's value" }).click();
	await first.getByText('Resolved').first().waitFor();
	await picture(first, 'resolved');
	await second.getByRole('button', { name: "Take billing's value" }).click();
	await second.getByText('Already resolved by demo').waitFor();
	await picture(second, 'too-late');
	await waitUntilSettled(databases);
	expect(await openReviews(databases)).toEqual([]);
	for (const page of [first, second]) await page.context().close();
});

describe('items of every kind are decided in the browser', () => {
	const open = async (kind: string): Promise<Page> => {
		await waitUntil(`an item of the kind ${kind}`, async () => (await openReviews(databases)).some((review) => review.kind === kind));
		const page = await visit();
		await page.goto(`${address()}?view=reviews&kind=${kind}`);
		await page.locator('table a').first().click();
		return page;
	};
	const decide = async (page: Page, button: string, end: string): Promise<void> => {
		await picture(page, button.replaceAll(/\W+/g, '-'));
		await page.getByRole('button', { name: button, exact: true }).click();
		await page.getByText(end).first().waitFor();
		await page.context().close();
	};

	test('a failure: the value that billing refuses is taken back', async () => {
		await databases.billing.app.query("alter table public.accounts add constraint no_forbidden check (memo <> 'forbidden') not valid");
		await databases.crm.app.query("update public.customers set note = 'forbidden' where id = 5");
		await decide(await open('failure'), "Take billing's value", 'Resolved');
		await waitUntilSettled(databases);
		expect((await databases.crm.app.query('select note from public.customers where id = 5')).rows).toEqual([{ note: 'note 5' }]);
	});

	test('an approval: many records may be deleted', async () => {
		await databases.crm.app.query("insert into public.customers (full_name, email) select 'Many ' || n, 'many' || n || '@example.com' from generate_series(1, 60) n");
		await waitUntilSettled(databases);
		await databases.crm.app.query("delete from public.customers where full_name like 'Many %'");
		await decide(await open('approval'), 'Approve', 'Resolved');
		await waitUntilSettled(databases);
		expect((await databases.billing.app.query("select 1 from public.accounts where name like 'Many %'")).rowCount).toBe(0);
	});

	test('an identity: what was unlinked stays where it is', async () => {
		const store = new PostgresStore(openPool(databases.storeSettings, 1), { schema: 'n8n_bisync' });
		const record = { system: 'crm', entity: 'customer', key: { id: 6 } };
		await partRecord(store, { policy: 'crm-billing', record, system: 'crm', by: 'test' });
		for (let item = 0; item < 2; item += 1) await decide(await open('identity'), 'Let them differ', 'Dismissed');
		expect(await openReviews(databases)).toEqual([]);
		await joinRecords(store, { policy: 'crm-billing', records: [record, { system: 'billing', entity: 'customer', key: { account_no: 10_006 } }], by: 'test' });
		await waitUntilSettled(databases);
		await store.close();
	});

	test('a dead letter of another workflow, kept by the template, comes out again', async () => {
		const letters = await importTemplate(sync.client, 'dead-letters.json');
		await activate(sync.client, letters.id);
		const failing = await sync.client.createWorkflow(failingWorkflow(letters.id));
		await activate(sync.client, failing.id);
		await fetch(`${sync.n8n.url}/webhook/fails`);
		const page = await open('failure');
		await page.getByRole('heading', { name: /A workflow that fails failed in Fails: on purpose/ }).waitFor();
		await decide(page, 'Try again', 'Resolved');
	});
});

function failingWorkflow(errorWorkflow: string): WorkflowJson {
	const nodes = [
		{ id: 'a', name: 'Called', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], webhookId: 'fails', parameters: { path: 'fails' } },
		{ id: 'b', name: 'Fails', type: 'n8n-nodes-base.stopAndError', typeVersion: 1, position: [200, 0], parameters: { errorMessage: 'on purpose' } },
	];
	const connections = { Called: { main: [[{ node: 'Fails', type: 'main', index: 0 }]] } };
	return { name: 'A workflow that fails', nodes, connections, settings: { errorWorkflow } } as unknown as WorkflowJson;
}
