import type { Choice } from '../../src/core/resolve';
import type { LinkState } from '../../src/core/link';
import { simulatedEntity, simulatedPolicy, type FieldRules } from '../support/simulated-policy';
import type { DatabaseRules } from '../support/simulated-database';
import type { Statement } from '../support/simulated-users';
import type { Row } from '../../src/core/mapping';
import type { Json } from '../../src/core/canonical-json';
import type { PolicyInForce } from '../../src/core/observe';

export const SYSTEMS = ['crm', 'billing'] as const;

/** What may go wrong, at most `faults` times in one history. */
export type Fault =
	/** An execution dies between two steps; its batch is emitted again, in other pieces. */
	| 'crash'
	/** The same, but the old execution goes on somewhere. */
	| 'zombie'
	/** Sync Write cannot reach its target. */
	| 'target-down'
	/** A node before Echo Filter drops the batch, part of it, or turns it round. */
	| 'foreign-node'
	/** Another worker commits one of the links first. */
	| 'contention';

/** Ways to build it wrong. Each must give a counterexample. */
export interface Defects {
	readonly noCompareAndSet?: boolean;
	readonly reusableOperations?: boolean;
	readonly echoesDropped?: boolean;
	readonly acknowledgeBySuccess?: boolean;
	readonly silentMerge?: boolean;
	readonly echoUnwired?: boolean;
	readonly noSweep?: boolean;
	readonly raisesWhileInFlight?: boolean;
}

export interface Setup {
	readonly name: string;
	readonly policy: PolicyInForce;
	/** What stands in both systems when the history begins. */
	readonly records: readonly Readonly<Record<string, Json>>[];
	/** By system: the users' transactions, in order. */
	readonly scripts: Readonly<Record<string, readonly (readonly Statement[])[]>>;
	/** Events per execution at most. */
	readonly batch: number;
	readonly faults: number;
	readonly kinds: readonly Fault[];
	readonly rules: Readonly<Record<string, DatabaseRules>>;
	readonly defects: Defects;
	/** What a person does, each once there is an open review. */
	readonly human: readonly Choice[];
	/** Off where a trigger makes values that no user wrote. */
	readonly checksCausality: boolean;
}

export interface SetupOptions {
	readonly fields?: FieldRules;
	readonly records?: Setup['records'];
	readonly crm?: Setup['scripts'][string];
	readonly billing?: Setup['scripts'][string];
	readonly batch?: number;
	readonly faults?: number;
	readonly kinds?: readonly Fault[];
	readonly defects?: Defects;
	readonly human?: readonly Choice[];
	/** A BEFORE trigger in billing. */
	readonly trigger?: (row: Row) => Row;
	readonly refuses?: (row: Row) => string | null;
	readonly unique?: readonly string[];
	readonly checksCausality?: boolean;
}

export const PREFER_CRM: FieldRules = { note: { owner: 'shared', resolve: 'prefer(crm)' } };

const ONE_RECORD = [{ ref: 'r1', note: 'x0' }];

/** One record with the field `note`, the same in both systems, unless the options say otherwise. */
export function setupOf(name: string, options: SetupOptions): Setup {
	const policy = simulatedPolicy(SYSTEMS, options.fields ?? PREFER_CRM);
	const { defects = {}, unique = ['ref'] } = options;
	const common = { entity: simulatedEntity(policy), defects, unique };
	const billing = {
		...common,
		...(options.trigger ? { trigger: options.trigger } : {}),
		...(options.refuses ? { refuses: options.refuses } : {}),
	};
	return {
		name,
		policy,
		records: options.records ?? ONE_RECORD,
		scripts: { crm: options.crm ?? [], billing: options.billing ?? [] },
		batch: options.batch ?? 2,
		faults: options.faults ?? 0,
		kinds: options.kinds ?? ['crash', 'target-down', 'foreign-node'],
		rules: { crm: common, billing },
		defects,
		human: options.human ?? [],
		checksCausality: options.checksCausality ?? true,
	};
}

/** A user's transaction that sets fields of a record. */
export const set = (fields: Readonly<Record<string, Json>>, record = 'r1'): Statement[] => [
	{ do: 'set', record, fields },
];

/** One transaction per value of `note`. */
export const notes = (...values: readonly Json[]): Statement[][] => values.map((note) => set({ note }));

/** What a Merge does that raises views although an operation is on its way to the system. */
export function raised(_before: LinkState, after: LinkState): LinkState {
	const state = structuredClone(after);
	for (const { merged, views } of Object.values(state.fields)) {
		for (const [system, view] of Object.entries(views)) {
			if (merged !== null && view.canon === merged.canon && view.accepted === undefined) {
				views[system] = { ...view, vector: merged.vector, base: view.canon };
			}
		}
	}
	return state;
}
