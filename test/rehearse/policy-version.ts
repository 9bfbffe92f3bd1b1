import { parse } from 'yaml';

import type { Json } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { policyOf } from '../../src/core/parse-policy';
import { type Policy, policyHash } from '../../src/core/policy';
import { ScenarioError } from './scenario-error';

/** A policy as a scenario publishes it. */
export interface PolicyVersion {
	/** As it was written. */
	readonly document: Json;
	readonly policy: Policy;
	readonly hash: string;
}

/** @throws ScenarioError with everything that is wrong */
export function policyVersion(document: Json): PolicyVersion {
	try {
		const policy = policyOf(document);
		return { document, policy, hash: policyHash(policy) };
	} catch (error) {
		if (!(error instanceof SyncError)) throw error;
		throw new ScenarioError(error.message, { cause: error });
	}
}

/** @throws ScenarioError naming the line, when the text is no YAML */
export function parseYaml(text: string): Json {
	try {
		return parse(text) as Json;
	} catch (error) {
		throw new ScenarioError(`is no YAML: ${error instanceof Error ? error.message : String(error)}`);
	}
}

/**
 * The document with changes put over it: a whole document replaces it, a part is merged into it key
 * by key, and a null takes a key away.
 */
export function changedDocument(before: Json, change: Json): Json {
	const isWhole = isObject(change) && 'systems' in change && 'entities' in change;
	return isWhole ? change : merged(before, change);
}

type JsonObject = { [key: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

function merged(before: Json | undefined, change: Json): Json {
	if (!isObject(before) || !isObject(change)) return change;
	const result: JsonObject = { ...before };
	for (const [key, value] of Object.entries(change)) {
		if (value === null) delete result[key];
		else result[key] = merged(before[key], value);
	}
	return result;
}
