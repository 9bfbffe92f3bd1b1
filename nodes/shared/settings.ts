import { SyncError } from '../../src/core/errors';

/**
 * Readers of node parameters and credentials. Each takes the label that the user sees in the
 * editor, for its error, and never turns a wrong value into a default.
 */
export function text(label: string, value: unknown): string {
	if (typeof value === 'string' && value.trim() !== '') return value.trim();
	throw invalid(label, 'must not be empty');
}

/** A text that may be left empty; '' when it is. */
export function optionalText(label: string, value: unknown): string {
	if (value === undefined || value === null) return '';
	if (typeof value === 'string') return value.trim();
	throw invalid(label, `must be a text, not ${describe(value)}`);
}

/** A password or certificate: taken as it is, spaces and all. */
export function secret(label: string, value: unknown): string {
	if (value === undefined || value === null) return '';
	if (typeof value === 'string') return value;
	throw invalid(label, `must be a text, not ${describe(value)}`);
}

/** A whole number of at least `min`; digits in a text count, as an expression may give them. */
export function wholeNumber(label: string, value: unknown, min: number): number {
	const number = typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value;
	if (typeof number === 'number' && Number.isSafeInteger(number) && number >= min) return number;
	throw invalid(label, `must be a whole number of at least ${min}, not ${describe(value)}`);
}

export function yesOrNo(label: string, value: unknown): boolean {
	if (typeof value === 'boolean') return value;
	throw invalid(label, `must be on or off, not ${describe(value)}`);
}

/** Names separated by commas, in order, each once. */
export function nameList(label: string, value: unknown): string[] {
	const given = Array.isArray(value) ? value.map(String) : text(label, value).split(',');
	const names = [...new Set(given.map((name) => name.trim()).filter((name) => name !== ''))];
	if (names.length === 0) throw invalid(label, 'must have at least one name');
	return names;
}

export function oneOf<T extends string>(label: string, value: unknown, choices: readonly T[]): T {
	const found = choices.find((choice) => choice === value);
	if (found !== undefined) return found;
	throw invalid(label, `must be one of ${choices.join(', ')}, not ${describe(value)}`);
}

/** Made with the label that the user sees, so that the field can be found. */
export function invalid(label: string, problem: string): SyncError {
	return new SyncError('INVALID_SETTING', `"${label}" ${problem}`);
}

function describe(value: unknown): string {
	if (value === undefined || value === null) return 'empty';
	if (typeof value === 'string') return value === '' ? 'empty' : `"${value}"`;
	if (typeof value === 'number' || typeof value === 'boolean') return String(value);
	return Array.isArray(value) ? 'a list' : 'an object';
}
