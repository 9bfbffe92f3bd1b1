import type { Json } from '../../src/core/canonical-json';
import type { LinkState } from '../../src/core/link';
import type { PolicyInForce } from '../../src/core/observe';
import type { Choice } from '../../src/core/resolve';
import type { DatabaseRules } from '../support/simulated-database';
import { simulatedEntity, simulatedPolicy, type DeleteRule, type FieldRules } from '../support/simulated-policy';
import type { Statement } from '../support/simulated-users';

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
	/** Sync Write overwrites whatever stands there. */
	readonly noCompareAndSet?: boolean;
	/** The ledger does not remember what was decided. */
	readonly reusableOperations?: boolean;
	/** The trigger leaves out the transactions that carry our marker. */
	readonly echoesDropped?: boolean;
	/** The trigger acknowledges what it emitted as soon as the execution ends. */
	readonly acknowledgeBySuccess?: boolean;
	/** Merge hands out new operations only, not the unsettled ones. */
	readonly silentMerge?: boolean;
	/** Echo Filter lets only foreign changes through, and nothing is wired to its other output. */
	readonly echoUnwired?: boolean;
	readonly noSweep?: boolean;
	/** Merge raises views although an operation is on its way to the system. */
	readonly raisesWhileInFlight?: boolean;
}

/** A small world to be searched: what is there, what users do, what may go wrong. */
export interface Setup {
	readonly name: string;
	readonly systems: readonly string[];
	readonly policy: PolicyInForce;
	/** What stands in all systems when the history begins. */
	readonly records: readonly Readonly<Record<string, Json>>[];
	/** By system: the users' transactions, in order. */
	readonly scripts: Readonly<Record<string, Script>>;
	/** Events per execution at most. */
	readonly batch: number;
	readonly faults: number;
	readonly kinds: readonly Fault[];
	readonly rules: Readonly<Record<string, DatabaseRules>>;
	readonly defects: Defects;
	/** What a person does, in this order, each once there is an open review. */
	readonly human: readonly Choice[];
}

export type Script = readonly (readonly Statement[])[];

export interface SetupOptions {
	readonly systems?: readonly string[];
	readonly fields?: FieldRules;
	/** What becomes of a delete that has not seen an edit; `review` unless it says otherwise. */
	readonly deletes?: DeleteRule;
	readonly records?: Setup['records'];
	readonly scripts: Readonly<Record<string, Script>>;
	readonly batch?: number;
	readonly faults?: number;
	readonly kinds?: readonly Fault[];
	readonly defects?: Defects;
	readonly human?: readonly Choice[];
	/** By system, beyond what is said above. */
	readonly rules?: Readonly<Record<string, Omit<DatabaseRules, 'entity'>>>;
}

export const PREFER_CRM: FieldRules = { note: { owner: 'shared', resolve: 'prefer(crm)' } };

/** One record with the field `note`, the same in both systems, unless the options say otherwise. */
export function setupOf(name: string, options: SetupOptions): Setup {
	const { systems = ['crm', 'billing'], defects = {}, rules = {} } = options;
	const policy = simulatedPolicy(systems, options.fields ?? PREFER_CRM, options.deletes);
	const common = { entity: simulatedEntity(policy), unique: ['ref'], defects };
	return {
		name,
		systems,
		policy,
		records: options.records ?? [{ ref: 'r1', note: 'x0' }],
		scripts: options.scripts,
		batch: options.batch ?? 2,
		faults: options.faults ?? 0,
		kinds: options.kinds ?? ['crash', 'target-down', 'foreign-node'],
		rules: Object.fromEntries(systems.map((system) => [system, { ...common, ...rules[system] }])),
		defects,
		human: options.human ?? [],
	};
}

/** A user's transaction that sets fields of a record. */
export const set = (fields: Readonly<Record<string, Json>>, record = 'r1'): Statement[] => [
	{ do: 'set', record, fields },
];

/** One transaction for each value of `note`. */
export const notes = (...values: readonly Json[]): Script => values.map((note) => set({ note }));

/** What a Merge decides that raises views although an operation is on its way to the system. */
export function raiseAll(_before: LinkState, after: LinkState): LinkState {
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
