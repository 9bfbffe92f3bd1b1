/** A lock between processes, so that two commands started at once do not install into one folder. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while holding the lock; waits for as long as another living process holds it.
 *
 * The lock is a folder that is renamed into place with its owner's pid inside: so it is never seen
 * without an owner, and one left by a killed process is recognised and taken over.
 *
 * @template T
 * @param {string} path
 * @param {(line: string) => void} say gets a line when there is a wait
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, say, work) {
	let announced;
	while (!tryLock(path)) {
		const owner = ownerOf(path);
		if (owner !== undefined && !isAlive(owner)) {
			discard(path, owner);
			continue;
		}
		if (owner !== undefined && owner !== announced) {
			say(`waiting for the set-up that process ${owner} is running …`);
			announced = owner;
		}
		await sleep(500);
	}
	try {
		return await work();
	} finally {
		rmSync(path, { recursive: true, force: true });
	}
}

function tryLock(path) {
	const candidate = `${path}.${process.pid}`;
	mkdirSync(candidate, { recursive: true });
	writeFileSync(`${candidate}/pid`, String(process.pid));
	try {
		renameSync(candidate, path); // fails when the target exists, because it is not empty
		return true;
	} catch (error) {
		rmSync(candidate, { recursive: true, force: true });
		if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
		throw error;
	}
}

/** @returns {number | undefined} `undefined` when the lock was released meanwhile. */
function ownerOf(path) {
	try {
		return Number(readFileSync(`${path}/pid`, 'utf8'));
	} catch {
		return undefined;
	}
}

/** Of several that find a dead owner, one succeeds in renaming; nobody removes a newer lock. */
function discard(path, deadOwner) {
	const grave = `${path}.dead.${process.pid}`;
	try {
		renameSync(path, grave);
	} catch {
		return; // somebody else was first
	}
	const moved = ownerOf(grave);
	// Between our look and the rename another process may have taken over: give its lock back.
	if (moved !== deadOwner) renameSync(grave, path);
	rmSync(grave, { recursive: true, force: true });
}

function isAlive(pid) {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		return error.code === 'EPERM'; // it lives, as another user
	}
}
