import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { type BrowserContext, chromium, type Page } from 'playwright-core';

import { say } from './progress';
import { OWNER, type SyncInN8n } from './start-sync';

const BROWSER = '/usr/bin/chromium';
const THEMES = ['light', 'dark'] as const;

/**
 * Takes the pictures of the README, and one of each node's panel for whoever wants to see how they
 * look: light and dark.
 */
export async function takeScreenshots(sync: SyncInN8n, folder: string): Promise<void> {
	if (!existsSync(BROWSER))
		throw new Error(`${BROWSER} is missing. On Debian: apt-get install chromium`);
	await mkdir(folder, { recursive: true });
	for (const theme of THEMES) {
		// As root, Chromium's own sandbox cannot be set up; it only ever sees the n8n of this machine.
		const browser = await chromium.launch({
			executablePath: BROWSER,
			args: ['--no-sandbox', '--disable-gpu'],
		});
		try {
			const context = await browser.newContext({
				colorScheme: theme,
				viewport: { width: 1_920, height: 1_000 },
			});
			await takeThemed(context, sync, (name) =>
				join(folder, theme === 'light' ? `${name}.png` : `${name}-dark.png`),
			);
		} finally {
			await browser.close();
		}
	}
}

async function takeThemed(
	context: BrowserContext,
	sync: SyncInN8n,
	fileOf: (name: string) => string,
): Promise<void> {
	const page = await context.newPage();
	await signIn(page, sync.n8n.url);
	const canvases = {
		canvas: sync.sync,
		'canvas-setup': sync.setup,
		'canvas-reviews': sync.reviews,
	};
	for (const [name, { id }] of Object.entries(canvases)) {
		await openCanvas(page, `${sync.n8n.url}/workflow/${id}`);
		await page.screenshot({ path: fileOf(name) });
		say(`  took ${fileOf(name)}`);
	}
	await openCanvas(page, `${sync.n8n.url}/workflow/${sync.sync.id}`);
	for (const { name, type } of sync.sync.nodes) {
		if (type.endsWith('.stickyNote')) continue;
		await page
			.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`)
			.dblclick({ force: true });
		await page.locator('[data-test-id="ndv"], [data-test-id="node-parameters"]').first().waitFor();
		// The panel slides in.
		await page.waitForLoadState('networkidle');
		await page.screenshot({ path: fileOf(`panel-${name.toLowerCase().replaceAll(' ', '-')}`) });
		await page.keyboard.press('Escape');
	}
}

async function signIn(page: Page, url: string): Promise<void> {
	await page.goto(`${url}/signin`);
	await page.locator('input[name=emailOrLdapLoginId]').fill(OWNER.email);
	await page.locator('input[name=password]').fill(OWNER.password);
	await page.locator('[data-test-id=form-submit-button]').click();
	await page.waitForURL((address) => !address.pathname.includes('signin'));
}

async function openCanvas(page: Page, address: string): Promise<void> {
	await page.goto(address);
	await page.locator('[data-test-id=canvas-node]').first().waitFor();
	await page.waitForLoadState('networkidle');
	await page
		.locator('[data-test-id=canvas-background], .vue-flow__pane')
		.first()
		.click({ position: { x: 5, y: 5 }, force: true });
	await page.keyboard.press('1'); // Zooms so that everything is seen.
	await page.waitForTimeout(1_500);
}
