import { rollBackRun } from '../../src/store/roll-back';
import type { Rehearsal } from './rehearsal';
import { ScenarioError } from './scenario-error';
import type { Given } from './steps';

/** Rolls back what was decided during the first or the last step `pump`. */
export async function rollback({ home, policyName, runs }: Rehearsal, { run }: Given<'rollback'>): Promise<void> {
	const window = run === 'first' ? runs[0] : runs.at(-1);
	if (!window) throw new ScenarioError('There is no step "pump" before "rollback"');
	const filter = { ...window, system: null, entity: null, fields: null, policyHash: null, execution: null };
	await rollBackRun(home.observer, { policy: policyName, filter, run: `the ${run} run`, by: 'operator', created: 'leave', apply: true, limit: 1_000, listed: 1, after: '0' });
}
