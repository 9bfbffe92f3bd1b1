import type { z } from 'zod/v4';
import { SyncError } from './errors';
import { didYouMean } from './suggest';

/** Where in the document: keys and list indexes from the top. */
export type PolicyPath = readonly (string | number)[];

export interface PolicyProblem {
	/** `entities.customer.fields.email.owner`, `entities.customer.match[0][1]`; '' is the whole document. */
	readonly path: string;
	/** A sentence without its subject: "must be …". */
	readonly message: string;
}

/** The schemas of an object's keys. */
export type Shape = Readonly<Record<string, z.ZodType>>;

/** What could be read of an object: a key with a problem is missing. */
export type ReadShape<S extends Shape> = { readonly [K in keyof S]?: z.infer<S[K]> };

/** Gathers everything that is wrong with a document, so that one run shows all of it. */
export class PolicyProblems {
	readonly #problems: PolicyProblem[] = [];

	add(path: PolicyPath, message: string): void {
		this.#problems.push({ path: pathText(path), message });
	}

	/** `value` as the schema says, or undefined and its problems. */
	read<T>(schema: z.ZodType<T>, value: unknown, path: PolicyPath): T | undefined {
		const result = schema.safeParse(value);
		if (result.success) return result.data;
		for (const issue of result.error.issues) {
			this.add([...path, ...issue.path.map(asPathPart)], issue.message);
		}
		return undefined;
	}

	/**
	 * The entries of an object whose keys are free, sorted by key, so that documents with the same
	 * hash are read in the same order; none, and a problem, when it is not an object.
	 *
	 * @param whenEmpty - the problem with an object without entries; left out, there is none
	 */
	readEntries(value: unknown, path: PolicyPath, whenEmpty?: string): [string, unknown][] {
		if (!isPlainObject(value)) {
			this.add(path, value === undefined ? 'is missing' : 'must be an object (key: value lines)');
			return [];
		}
		const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
		if (entries.length === 0 && whenEmpty !== undefined) this.add(path, whenEmpty);
		return entries;
	}

	/**
	 * Reads an object with known keys, each by itself: a problem with one key does not hide those
	 * of the next. Unknown keys are problems.
	 */
	readObject<S extends Shape>(
		value: unknown,
		shape: S,
		path: PolicyPath,
	): ReadShape<S> {
		const object = new Map(this.readEntries(value, path));
		const known = Object.keys(shape);
		for (const key of object.keys()) {
			if (!Object.hasOwn(shape, key)) {
				this.add([...path, key], `is not a known key${didYouMean(key, known)}`);
			}
		}
		if (!isPlainObject(value)) return {};
		const read = Object.entries(shape).flatMap(([key, schema]): [string, unknown][] => {
			const part = this.read(schema, object.get(key), [...path, key]);
			return part === undefined ? [] : [[key, part]];
		});
		return Object.fromEntries(read) as ReadShape<S>; // Each entry was parsed by the schema of its key.
	}

	/** @throws SyncError POLICY_INVALID, listing every problem, when there is one. */
	throwIfAny(): void {
		const count = this.#problems.length;
		if (count === 0) return;
		const lines = this.#problems.map(
			({ path, message }) => `- ${path || 'the policy'}: ${message}`,
		);
		const title = `The policy has ${count} ${count === 1 ? 'problem' : 'problems'}:`;
		throw new SyncError('POLICY_INVALID', [title, ...lines].join('\n'), {
			details: { problems: this.#problems },
		});
	}
}

/** A zod error map that says `is missing; it must be …` or `must be …`. */
export function mustBe(what: string): { error: (issue: { input?: unknown }) => string } {
	return {
		error: ({ input }) =>
			input === undefined ? `is missing; it must be ${what}` : `must be ${what}`,
	};
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
	return Object.prototype.toString.call(value) === '[object Object]';
}

function asPathPart(part: PropertyKey): string | number {
	return typeof part === 'number' ? part : String(part);
}

function pathText(path: PolicyPath): string {
	return path
		.map((part, index) => {
			if (typeof part === 'number') return `[${part}]`;
			if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part)}]`;
			return index === 0 ? part : `.${part}`;
		})
		.join('');
}
