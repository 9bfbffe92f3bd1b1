import { createHash } from 'node:crypto';
import { SyncError } from './errors';

/** A JSON value. `undefined` is none: a value that was not sent is absent, which is not null. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Whether a value that may be JSON is an object of names and values. */
export function isJsonObject(value: unknown): value is Record<string, Json> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deeper values are refused rather than ending in a stack overflow, which came at about 1,500. */
const MAX_DEPTH = 500;

/**
 * The one text of a JSON value: equal values have equal texts, whatever the order of their keys
 * or the system they came from. Used by hashes, keys, markers and comparisons.
 *
 * RFC 8785: keys sorted by UTF-16 code units, numbers as ECMAScript prints them, no whitespace.
 * One deviation: a lone surrogate, which the RFC refuses, is written as its \u escape, because a
 * value that some system really holds must be observable.
 *
 * @param value - `unknown`, because it is asked before a value is known to be JSON
 * @throws SyncError NOT_JSON for NaN, infinities, undefined, bigint, functions, symbols, objects
 * that are not plain (Date, Map, Buffer), and nesting beyond 500 levels. Names the path, no values.
 */
export function canonicalJson(value: unknown): string {
	return write(value, []);
}

/** SHA-256 of the text's UTF-8 bytes, 64 lowercase hex digits. */
export function sha256Hex(text: string): string {
	return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** Whether two values have the same canonical text. Key order does not matter, list order does; -0 equals 0. */
export function equalJson(a: Json, b: Json): boolean {
	if (a === b) return true;
	if (!isNested(a) || !isNested(b)) return false;
	if (Array.isArray(a) || Array.isArray(b)) {
		if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
		return a.every((item, index) => equalJson(item, b[index] ?? null));
	}
	const names = Object.keys(a);
	if (names.length !== Object.keys(b).length) return false;
	return names.every((name) => Object.hasOwn(b, name) && equalJson(a[name] ?? null, b[name] ?? null));
}

function isNested(value: Json): value is Json[] | { [key: string]: Json } {
	return typeof value === 'object' && value !== null;
}

function write(value: unknown, path: (string | number)[]): string {
	if (typeof value === 'string') return JSON.stringify(value);
	if (value === null || typeof value === 'boolean') return String(value);
	if (typeof value === 'number') {
		if (!Number.isFinite(value)) throw notJson(path, 'is not a finite number');
		return String(value); // The ECMAScript form that the RFC asks for; -0 is '0' in both.
	}
	if (typeof value !== 'object') throw notJson(path, `is of type ${typeof value}`);
	if (path.length >= MAX_DEPTH) throw notJson([], `is nested deeper than ${MAX_DEPTH} levels`);
	return Array.isArray(value) ? writeList(value, path) : writeObject(value, path);
}

// Loops and one path array, because every hash, key and comparison of a batch comes through here.
function writeList(list: readonly unknown[], path: (string | number)[]): string {
	let text = '[';
	for (let index = 0; index < list.length; index++) {
		path.push(index);
		text += (index === 0 ? '' : ',') + write(list[index], path);
		path.pop();
	}
	return `${text}]`;
}

function writeObject(object: object, path: (string | number)[]): string {
	// Asked by tag, not by prototype: objects made in another realm (a Code node's sandbox) are plain too.
	const tag = Object.prototype.toString.call(object);
	if (tag !== '[object Object]') throw notJson(path, `is ${tag.slice(8, -1)}, not a plain object`);
	let text = '{';
	for (const key of Object.keys(object).sort()) {
		path.push(key);
		const value = write((object as Record<string, unknown>)[key], path);
		text += `${text === '{' ? '' : ','}${JSON.stringify(key)}:${value}`;
		path.pop();
	}
	return `${text}}`;
}

function notJson(path: readonly (string | number)[], what: string): SyncError {
	const place = path.length > 0 ? `The value at ${path.join('.')}` : 'The value';
	return new SyncError('NOT_JSON', `${place} ${what}`);
}
