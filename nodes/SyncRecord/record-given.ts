import type { Json } from '../../src/core/canonical-json';
import type { Key } from '../../src/core/link';
import type { RecordRef } from '../../src/store/load-record';
import { invalid, oneOf, text } from '../shared/settings';

const WAYS = ['key', 'link'] as const;

/**
 * The record that the parameters of an item name. A key is an object of columns, or the bare value where the table has one key column.
 *
 * @param read - reads a parameter of the item
 * @param prefix - of the parameters' names: an operation may name two records
 * @param keyColumns - the key columns that the policy names for a system's table of an entity; null: it names none
 */
export function readRecord(read: (name: string) => unknown, prefix: '' | 'other', keyColumns: (system: string, entity: string) => readonly string[] | null): RecordRef {
	const name = (plain: string): string => (prefix === '' ? plain : `other${plain[0]?.toUpperCase() ?? ''}${plain.slice(1)}`);
	const label = (plain: string): string => (prefix === '' ? plain : `Other ${plain}`);
	if (oneOf(label('Record By'), read(name('recordBy')), WAYS) === 'link') return { link: text(label('Link'), read(name('link'))) };
	const system = text(label('System'), read(name('system')));
	const entity = text(label('Entity'), read('entity'));
	return { system, entity, key: readKey(label('Key'), read(name('key')), keyColumns(system, entity)) };
}

function readKey(label: string, given: unknown, columns: readonly string[] | null): Key {
	if (columns === null) throw invalid('Entity', 'must be an entity of the policy that the system has a table or API of');
	const value = parsed(given);
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) return wholeKey(label, value, columns);
	const [only, another] = columns;
	if (only === undefined || another !== undefined) throw invalid(label, `must be an object with the columns ${columns.join(', ')}`);
	if ((typeof value === 'string' && value !== '') || typeof value === 'number') return { [only]: value };
	throw invalid(label, `must be the value of ${only}, or an object such as { "${only}": 42 }`);
}

function wholeKey(label: string, key: Readonly<Record<string, Json>>, columns: readonly string[]): Key {
	const missing = columns.filter((column) => key[column] === undefined || key[column] === null);
	if (missing.length > 0) throw invalid(label, `must have a value for ${missing.join(', ')}`);
	return Object.fromEntries(columns.map((column) => [column, key[column] as Json]));
}

/** A text that is an object counts as one: n8n gives JSON fields as texts. Digits stay a text, so that no digit of a long number is lost. */
function parsed(given: unknown): Json {
	if (typeof given !== 'string') return given as Json;
	const trimmed = given.trim();
	if (!trimmed.startsWith('{')) return trimmed;
	try {
		return JSON.parse(trimmed) as Json;
	} catch {
		return trimmed;
	}
}
