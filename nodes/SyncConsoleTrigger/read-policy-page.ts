import { stringify } from 'yaml';

import type { Page } from '../../src/console/layout';
import { policyPage } from '../../src/console/policy-page';
import { signOffSheet } from '../../src/core/sign-off';
import { policyInForce } from '../../src/store/published-policy';
import type { PolicyVersion, PublishedPolicy } from '../../src/store/sync-store';
import type { Query } from './query';
import type { Visit } from './visit';

const MAX_VERSIONS = 50;

/** The rules in force, and how they came to be. */
export async function readPolicyPage({ store, policy, reader }: Visit, query: Query, published: PublishedPolicy): Promise<Page> {
	const versions = await store.listVersions(policy, MAX_VERSIONS);
	const signatures = published.signatures.filter(({ hash }) => hash === published.hash);
	const sheet = signOffSheet(policyInForce(published).policy, { version: published.version, signatures });
	return policyPage({ sheet, document: stringify(published.document), pending: published.pending, versions, compared: comparedOf(versions, query) }, reader);
}

function comparedOf(versions: readonly PolicyVersion[], { from, to }: Query) {
	const [before, after] = [from, to].map((wanted) => versions.find(({ version }) => String(version) === wanted));
	if (!before || !after) return null;
	return { from: before.version, to: after.version, before: stringify(before.document), after: stringify(after.document) };
}
