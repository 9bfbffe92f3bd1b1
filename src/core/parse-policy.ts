import type { EntityPolicy, Policy } from './policy';
import { checkTables } from './policy-checks';
import { documentOf, readDocument } from './policy-document';
import { readEntity } from './policy-entity';
import { PolicyProblems } from './policy-problems';
import { checkReferences } from './policy-references';
import { documentShape, entityName } from './policy-schema';

/**
 * Reads a policy from YAML or JSON text.
 *
 * @throws SyncError POLICY_INVALID whose message lists every problem as `path: what is wrong`;
 * `details.problems` has them one by one.
 */
export function parsePolicy(text: string): Policy {
	return policyOf(readDocument(text));
}

/**
 * Reads a policy from the document's data, such as the normal form that the store keeps.
 *
 * @throws SyncError POLICY_INVALID, as `parsePolicy`.
 */
export function policyOf(document: unknown): Policy {
	const problems = new PolicyProblems();
	const { policy: name, systems, entities, signOff = 'warn' } = problems.readObject(document, documentShape, []);
	// Without the systems every key below would look like a typo.
	if (!systems) problems.throwIfAny();
	const read = {
		name: name ?? '',
		systems: systems ?? [],
		signOff,
		entities: readEntities(entities, systems ?? [], problems),
	};
	problems.throwIfAny();
	return { ...read, document: documentOf(read) };
}

function readEntities(
	value: unknown,
	systems: readonly string[],
	problems: PolicyProblems,
): ReadonlyMap<string, EntityPolicy> {
	const entries = problems.readEntries(value, ['entities'], 'must have at least one entity');
	const entities = entries.map(([name, entity]) => {
		const path = ['entities', name];
		problems.read(entityName, name, path);
		return [name, readEntity(entity, { problems, path, systems })] as const;
	});
	checkTables(
		entities.map(([, entity]) => entity),
		problems,
	);
	checkReferences(new Map(entities), problems);
	return new Map(entities);
}
