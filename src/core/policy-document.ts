import { parseDocument } from 'yaml';
import type { Json } from './canonical-json';
import { SyncError } from './errors';
import {
	mapDocument,
	type Authority,
	type EntityPolicy,
	type FieldPolicy,
	type Policy,
	type TableBinding,
} from './policy';
import { documentOfApi } from './policy-api';
import { documentOfColumnRules, quoteName } from './policy-columns';
import { documentOfDeletes } from './policy-deletes';
import { documentOfParts } from './policy-parts';
import { documentOfParent } from './policy-references';
import { documentOfSimilar } from './policy-similar';
import { strategyText } from './policy-strategy';
import { documentOfValid } from './policy-valid';

/** One anchor may be used this often: a document of a few lines must not unfold to gigabytes. */
const MAX_ALIASES = 100;

/**
 * The data of a YAML 1.2 or JSON text (JSON is YAML). Keys are always texts: `1:` and `"1":` are the same.
 *
 * @throws SyncError POLICY_INVALID with the line and column of every syntax problem; a key given twice is one.
 */
export function readDocument(text: string): unknown {
	const document = parseDocument(text, { version: '1.2', schema: 'core', stringKeys: true });
	const problems = [...document.errors, ...document.warnings].map(({ message }) =>
		firstLine(message),
	);
	if (problems.length > 0) throw unreadable(problems);
	try {
		return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
	} catch (error) {
		throw unreadable(
			[error instanceof Error ? firstLine(error.message) : 'cannot be unfolded'],
			error,
		);
	}
}

/** The normal form: a document that gives the same policy, with every default and codec list written out. */
export function documentOf(policy: Omit<Policy, 'document'>): Json {
	return {
		policy: policy.name,
		systems: [...policy.systems],
		...(policy.signOff === 'warn' ? {} : { signOff: policy.signOff }),
		entities: fromMap(policy.entities, documentOfEntity),
	};
}

function documentOfEntity(entity: EntityPolicy): Json {
	return {
		...fromMap(entity.tables, documentOfTable),
		match: entity.match.map((rule) => [...rule]),
		fields: fromMap(entity.fields, documentOfField),
		deletes: documentOfDeletes(entity.deletes),
		...(entity.required.size > 0 ? { required: [...entity.required] } : {}),
		...documentOfParent(entity),
		...documentOfSimilar(entity.similar),
		sensitive: [...entity.sensitive],
	};
}

function documentOfTable(binding: TableBinding): Json {
	const { api, schema, table, key, ...columns } = binding;
	if (api !== undefined) return documentOfApi(api, binding);
	return {
		table: [schema, table].map(quoteName).join('.'),
		key: [...key],
		...documentOfColumnRules(columns),
		...documentOfParts(columns),
	};
}

function documentOfField({ columns, computed, authority, map, nulls, valid, references }: FieldPolicy): Json {
	return {
		...fromMap(columns, ({ column }) => column),
		...fromMap(computed, ({ from }): Json =>
			from.kind === 'constant' ? { constant: from.value } : { compute: from.template },
		),
		...documentOfAuthority(authority),
		codec: { ...fromMap(columns, specsOf), ...fromMap(computed, specsOf) },
		...(map ? { map: mapDocument(map) } : {}),
		...(nulls === 'clear' ? {} : { nulls }),
		...(valid ? { valid: documentOfValid(valid) } : {}),
		...(references === null ? {} : { references }),
	};
}

const specsOf = ({ specs }: { readonly specs: readonly string[] }): Json => [...specs];

function documentOfAuthority(authority: Authority): { [key: string]: Json } {
	return authority.kind === 'owned'
		? { owner: authority.owner, onForeignEdit: authority.onForeignEdit }
		: { owner: 'shared', resolve: strategyText(authority.resolve) };
}

function fromMap<T>(
	map: ReadonlyMap<string, T>,
	toJson: (value: T) => Json,
): { [key: string]: Json } {
	return Object.fromEntries([...map].map(([key, value]) => [key, toJson(value)]));
}

function unreadable(problems: readonly string[], cause?: unknown): SyncError {
	const lines = problems.map((problem) => `- ${problem}`);
	const message = ['The policy is not readable as YAML or JSON:', ...lines].join('\n');
	return new SyncError('POLICY_INVALID', message, { cause, details: { problems } });
}

/** The parser shows the text around a problem below its message; the editor shows it already. */
function firstLine(message: string): string {
	return (message.split('\n')[0] ?? '').replace(/:$/, '');
}
