import { parsePolicy } from '../../src/core/parse-policy';
import { FAMILY_POLICY } from '../support/family-world';
import { policyProblems, samplePolicyWith } from '../support/sample-policy';

const similar = (what: string): string => samplePolicyWith('    match: [[ref]]\n', `    match: [[ref]]\n    similar: ${what}\n`, FAMILY_POLICY);

test('which records may be the same comes back from the normal form, with what resembles enough', () => {
	const { document, entities } = parsePolicy(similar('{ fields: [ref] }'));
	expect(entities.get('customer')?.similar).toEqual({ fields: ['ref'], above: 0.85 });
	expect(entities.get('order')?.similar).toBeNull();
	expect(parsePolicy(JSON.stringify(document)).document).toEqual(document);
});

test.each([
	['{ fields: [reff] }', 'similar.fields[0]: "reff" is not a field of this entity; did you mean "ref"?'],
	['{ fields: [friend] }', 'similar.fields[0]: "friend" names another record: compare its texts there'],
	['{ fields: [] }', 'similar.fields: must name at least one field'],
	['{ fields: [ref, ref] }', 'similar.fields: names a field twice'],
	['{ fields: [ref], above: 85 }', 'similar.above: must be at most 1'],
	['{ fields: [ref], obove: 0.9 }', 'similar.obove: is not a known key; did you mean "above"?'],
])('%s is refused', (what, problem) => {
	expect(policyProblems(similar(what))).toContain(`entities.customer.${problem}`);
});
