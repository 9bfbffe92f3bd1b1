import { parsePolicy } from '../../src/core/parse-policy';
import type { EntityPolicy, Policy, TableBinding } from '../../src/core/policy';

/** Customers whose address is a table of its own in `crm`. */
export const PARTS_POLICY = `
policy: parts
systems: [crm, billing]
entities:
  customer:
    crm:
      table: public.partner
      key: [id]
      parts:
        address: { table: public.partner_address, key: [partner_id], insert: { kind: postal }, stamp: { written: now } }
    billing: { table: public.accounts, key: [no] }
    match: [[ref]]
    fields:
      ref:   { crm: ref, billing: ref, owner: shared, resolve: review }
      name:  { crm: name, billing: name, owner: shared, resolve: review }
      city:  { crm: address.city, billing: city, owner: shared, resolve: review }
      zip:   { crm: address.zip, billing: zip, owner: shared, resolve: review }
`;

export interface PartsSample {
	readonly policy: Policy;
	readonly customer: EntityPolicy;
	readonly crm: TableBinding;
}

/** The policy, or another text, its entity `customer` and the table of that in crm. */
export function partsSample(text = PARTS_POLICY): PartsSample {
	const policy = parsePolicy(text);
	const customer = policy.entities.get('customer');
	const crm = customer?.tables.get('crm');
	if (!customer || !crm) throw new Error('The policy has no customer in crm');
	return { policy, customer, crm };
}
