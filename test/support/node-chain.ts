import type { INodeExecutionData } from 'n8n-workflow';

import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import type { ChangeEvent } from '../../src/core/change-event';
import type { Operation } from '../../src/core/link';
import { findings, itemsOf, type NodeLab, POLICY } from './node-lab';

/** Echo Filter and Field Authority Merge over events, as one execution of the template. */
export async function passOn(
	lab: NodeLab,
	...events: readonly ChangeEvent[]
): Promise<Operation[]> {
	const seen = await lab.run(new EchoFilter(), { items: itemsOf(...events) });
	const { outputs } = await lab.run(new FieldAuthorityMerge(), { items: seen.outputs[0] ?? [] });
	return opsOf(outputs);
}

/** The operations that Field Authority Merge handed out, system by system. */
export function opsOf(outputs: readonly (readonly INodeExecutionData[])[]): Operation[] {
	return outputs
		.flat()
		.flatMap((item) => (findings(item, 'merge')['op'] as Operation | undefined) ?? []);
}

/** What signs the markers of the lab's store. */
export async function macKeyOf(lab: NodeLab): Promise<string> {
	const { policy } = await lab.store.load({ policy: POLICY });
	if (!policy) throw new Error('the policy is not published');
	return policy.macKey;
}

/** A customer that both systems have, equal in every field, with nothing left to be done. */
export async function linkedCustomer(
	lab: NodeLab,
	id: string,
): Promise<{ crm: CrmRow; billing: BillingRow }> {
	const crm = {
		id,
		full_name: 'Ann',
		email: `${id}@x`,
		billing_status: 'Active',
		phone: 'P0',
		credit: '1.00',
		note: 'n0',
	};
	const billing = {
		account_no: `9${id}`,
		external_id: id,
		name: 'Ann',
		contact_email: `${id}@x`,
		status: 'active',
		phone: 'P0',
		credit_cents: '100',
		memo: 'n0',
	};
	const ops = await passOn(lab, lab.crm.insert(crm), lab.billing.insert(billing));
	if (ops.length > 0) throw new Error('the customer is not equal on both sides');
	return { crm, billing };
}

type CrmRow = Readonly<Record<string, string>> & { readonly id: string };
type BillingRow = Readonly<Record<string, string>> & { readonly account_no: string };
