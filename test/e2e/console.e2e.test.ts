import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

import { CONSOLE_PERSON } from '../../demo/credentials';
import { type DemoDatabases, startDatabases } from '../../demo/databases';
import { say } from '../../demo/progress';
import { activate, approveFirstContact, consoleAddress, firstContactReport, publishPolicy, startN8n, type SyncInN8n } from '../../demo/start-sync';
import { openReviews, waitUntilSettled } from '../../demo/store-facts';
import { FIRST_CONTACT } from '../../demo/tables';

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
