import { z } from 'zod/v4';

import type { Json } from '../../src/core/canonical-json';
import type { PolicyVersion } from './policy-version';
import type { Step } from './steps';

/** Rows by table, of one system. */
export type GivenRows = Readonly<Record<string, readonly Readonly<Record<string, Json>>[]>>;

/** A scenario that was read and checked; everything it names exists, as far as its file can tell. */
export interface Scenario {
	readonly file: string;
	readonly name: string;
	readonly policy: PolicyVersion;
	/** Statements, by system. */
	/** Databases whose changes are found by polling. */
	readonly polled: readonly string[];
	readonly setup: Readonly<Record<string, readonly string[]>>;
	readonly given: Readonly<Record<string, GivenRows>>;
	readonly steps: readonly NumberedStep[];
}

export interface NumberedStep {
	/** 1, 2, 3 … */
	readonly number: number;
	/** In the file. */
	readonly line: number;
	readonly step: Step;
	/** What a `policy` step publishes; null for all others. */
	readonly policy: PolicyVersion | null;
}

/** The steps are read one by one, so that an error can name its step. */
export const scenarioShape = z.strictObject({
	name: z.string().min(1),
	policy: z.union([z.string(), z.record(z.string(), z.json())]),
	polled: z.array(z.string()).default([]),
	setup: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
	given: z
		.record(z.string(), z.record(z.string(), z.array(z.record(z.string(), z.json()))))
		.default({}),
	steps: z.array(z.unknown()).min(1),
});
