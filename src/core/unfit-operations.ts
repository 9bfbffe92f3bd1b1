import { explain, type Draft } from './draft';
import { EXISTENCE, type Operation } from './link';
import type { EntityPolicy } from './policy';

/**
 * Lets go of operations that a new version of the policy has no place for: of a field or table
 * that has left it, or that waits for its first contact. They could not be written any more, and would hold
 * up their system for ever; what is still due gets a new operation.
 *
 * One may have been written all the same, or is being written now. Its number is lower than the next
 * one's, so it cannot be written after that; and its marker, when it comes, speaks of nothing that is in
 * flight, so that the values count as a change of that system, equal to what was decided.
 *
 * @returns whether there was one
 */
export function giveUpUnfit(draft: Draft, entity: EntityPolicy): boolean {
	const { inFlight } = draft.state;
	const unfit = Object.values(inFlight).filter((op) => !fits(op, entity));
	for (const { id, system } of unfit) {
		delete inFlight[system];
		const detail = `the operation ${id} was given up: the policy has no place any more for what it writes`;
		explain(draft, 'warning', { system, detail });
	}
	return unfit.length > 0;
}

function fits(
	{ system, fields, guards }: Operation,
	{ tables, fields: rules, deletes }: EntityPolicy,
): boolean {
	const names = [...Object.keys(fields), ...Object.keys(guards)];
	const isDated = 'passed' in (deletes.as.get(system) ?? {});
	return tables.has(system) && names.every((name) => (name === EXISTENCE ? isDated : rules.get(name)?.columns.has(system)));
}
