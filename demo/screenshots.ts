import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { chromium, type Page } from 'playwright-core';

import { say } from './progress';
import { OWNER, type SyncInN8n } from './start-sync';

const BROWSER = '/usr/bin/chromium';
const THEMES = ['light', 'dark'] as const;

export interface ScreenshotOptions {
	readonly folder: string;
	/** Also the other workflows, and the panel of each node. */
	readonly isComplete: boolean;
}

/** Takes the pictures of the README, light and dark. */
export async function takeScreenshots(
	sync: SyncInN8n,
	{ folder, isComplete }: ScreenshotOptions,
): Promise<void> {
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
			const page = await context.newPage();
			await signIn(page, sync.n8n.url);
			const suffix = theme === 'light' ? '' : '-dark';
			const fileOf = (name: string): string => join(folder, `${name}${suffix}.png`);
			await takeCanvas(page, `${sync.n8n.url}/workflow/${sync.sync.id}`, fileOf('canvas'));
			if (isComplete) await takeRest(page, sync, fileOf);
		} finally {
			await browser.close();
		}
	}
}

async function takeCanvas(page: Page, address: string, path: string): Promise<void> {
	await openCanvas(page, address);
	await page.screenshot({ path, clip: await boundsOfNotes(page) });
	say(`  took ${path}`);
}

/** The part of the page that the workflow's notes cover, without n8n's own controls. */
async function boundsOfNotes(
	page: Page,
): Promise<{ x: number; y: number; width: number; height: number }> {
	const boxes = [];
	for (const note of await page.locator('[data-test-id=sticky]').all()) {
		const box = await note.boundingBox();
		if (box) boxes.push(box);
	}
	const margin = 12;
	const x = Math.min(...boxes.map((box) => box.x)) - margin;
	const y = Math.min(...boxes.map((box) => box.y)) - margin;
	const right = Math.max(...boxes.map((box) => box.x + box.width)) + margin;
	const bottom = Math.max(...boxes.map((box) => box.y + box.height)) + margin;
	return { x, y, width: right - x, height: bottom - y };
}

/** The other workflows, and the panel of each node as one sees it after a double click. */
async function takeRest(
	page: Page,
	sync: SyncInN8n,
	fileOf: (name: string) => string,
): Promise<void> {
	await takeCanvas(page, `${sync.n8n.url}/workflow/${sync.setup.id}`, fileOf('canvas-setup'));
	await takeCanvas(page, `${sync.n8n.url}/workflow/${sync.reviews.id}`, fileOf('canvas-reviews'));
	for (const workflow of [sync.sync, sync.setup, sync.reviews]) {
		await openCanvas(page, `${sync.n8n.url}/workflow/${workflow.id}`);
		for (const { name, type } of workflow.nodes) {
			if (!type.endsWith('.stickyNote')) await takePanel(page, name, fileOf);
		}
	}
}

async function takePanel(
	page: Page,
	name: string,
	fileOf: (name: string) => string,
): Promise<void> {
	await page
		.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`)
		.dblclick({ force: true });
	await page.locator('[data-test-id="ndv"], [data-test-id="node-parameters"]').first().waitFor();
	await page.waitForLoadState('networkidle'); // The panel slides in.
	await page.screenshot({ path: fileOf(`panel-${name.toLowerCase().replaceAll(' ', '-')}`) });
	await page.keyboard.press('Escape');
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
	await page.waitForTimeout(1_500); // It glides there.
}
