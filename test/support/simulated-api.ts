import { equalJson, type Json } from '../../src/core/canonical-json';
import type { HttpOutcome } from '../../src/core/http-outcome';
import type { Key } from '../../src/core/link';
import type { Row } from '../../src/core/mapping';
import type { ApiTier } from '../../src/core/policy';
import { keyTextOf, type SimulatedDatabase, type SimulatedRow } from './simulated-database';

/** What an API tells of itself, and when. */
export interface ApiRules {
	readonly tier: ApiTier;
	/** What a webhook brings: the whole record, what changed, or only which record it was. */
	readonly hooks: 'whole' | 'partial' | 'hint';
	/** Records have a version that counts up, and say it. */
	readonly versions: boolean;
	/** Replies to writes show the record. */
	readonly shows: boolean;
	/** Replies to writes name the new ETag, or the version. */
	readonly names: boolean;
	/** The API keeps earlier values, and gives them with a reading. */
	readonly history?: boolean;
	/** Once in a while a reading comes from a replica that lags behind. */
	readonly lags?: boolean;
}

/** So many states of a record its history has. */
const HISTORY = 20;

/** A record as the API shows it at one time; null columns: there is none. */
export interface ApiState {
	readonly key: Key;
	readonly columns: Row | null;
	readonly version: number;
}

/** What a webhook says; `columns` undefined: nothing but which record it is. */
export interface Hook extends Omit<ApiState, 'columns'> {
	readonly columns: Row | null | undefined;
}

export interface ApiReply {
	readonly outcome: HttpOutcome;
	readonly state: ApiState | null;
}

/**
 * A database as a REST API shows it: no stream, but a version per record, webhooks in any order, and
 * replies that may be lost. It watches the rows and never changes them.
 */
export class SimulatedApi {
	/** By the text of the key, everything the record has ever been. */
	readonly #past = new Map<string, ApiState[]>();
	/** Not yet delivered. */
	readonly hooks: Hook[] = [];
	/** All there ever were, for duplicates. */
	readonly sent: Hook[] = [];
	/** By idempotency key: what was answered the first time. */
	readonly answered = new Map<string, ApiReply>();
	#version = 0;

	constructor(
		readonly system: string,
		readonly rules: ApiRules,
	) {}

	/** Notes what a transaction has changed, and sends webhooks about it. */
	changed(before: SimulatedDatabase, after: SimulatedDatabase): void {
		const keys = new Set([...Object.keys(before.rows), ...Object.keys(after.rows)]);
		for (const key of keys) {
			const [was, is] = [before.rows[key], after.rows[key]];
			if (was === is || (was && is && equalJson({ ...was.columns }, { ...is.columns }))) continue;
			this.#note(was, is);
		}
	}

	/** The record now, or, from a replica, as it was before. */
	get(key: Key, isLate = false): ApiState {
		const past = this.#past.get(keyTextOf(key)) ?? [];
		return past.at(isLate && this.rules.lags ? -2 : -1) ?? past.at(-1) ?? { key, columns: null, version: 0 };
	}

	/** The values that stood there before the last one, oldest first; the API does not know which of them somebody has read. */
	earlier(key: Key): Row[] {
		if (!this.rules.history) return [];
		const past = this.#past.get(keyTextOf(key)) ?? [];
		return past.slice(-1 - HISTORY, -1).flatMap(({ columns }): Row[] => (columns ? [columns] : []));
	}

	find(match: (columns: Row) => boolean): ApiState | null {
		for (const past of this.#past.values()) {
			const last = past.at(-1);
			if (last?.columns && match(last.columns)) return last;
		}
		return null;
	}

	/** Of all records that are there. */
	keys(): Key[] {
		return [...this.#past.values()].map((past) => past.at(-1)?.key).filter((key) => key !== undefined);
	}

	#note(was: SimulatedRow | undefined, is: SimulatedRow | undefined): void {
		const row = is ?? was;
		if (!row) return;
		this.#version += 1;
		const state: ApiState = { key: row.key, columns: is ? is.columns : null, version: this.#version };
		const text = keyTextOf(row.key);
		this.#past.set(text, [...(this.#past.get(text) ?? []), state]);
		const hook = { ...state, columns: this.#told(was, is) };
		this.hooks.push(hook);
		this.sent.push(hook);
	}

	#told(was: SimulatedRow | undefined, is: SimulatedRow | undefined): Row | null | undefined {
		if (this.rules.hooks === 'hint') return undefined;
		if (!is) return null;
		if (!was || this.rules.hooks === 'whole') return is.columns;
		const changed = Object.entries(is.columns).filter(([column, value]): boolean => !equalJson(value, was.columns[column] ?? (null as Json)));
		return Object.fromEntries(changed);
	}
}
