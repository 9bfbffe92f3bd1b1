import { z } from 'zod/v4';

const text = z.string().max(200).nullable();

/** What a customer of this CRM is, apart from its id. Every property may be null but the name. */
const properties = {
	name: z.string().min(1).max(100),
	email: z.email().nullable(),
	phone: text,
	note: text,
	status: z.enum(['lead', 'active', 'past_due', 'closed']).nullable(),
	tags: z.array(z.string()).nullable(),
	/** An exact decimal, such as "12.50": JSON numbers are not exact. */
	credit: z.string().regex(/^-?\d+(\.\d+)?$/).nullable(),
	address: z.strictObject({ city: text.optional(), country: text.optional() }).nullable(),
	/** Unique among the customers that are there. */
	external_id: text,
};

export const Patch = z.strictObject(properties).partial();
export type Patch = z.output<typeof Patch>;

/** A POST or PUT: whole, so that what it leaves out is null. */
export const Whole = Patch.required({ name: true });

export type Customer = { readonly [property in keyof typeof properties]: Json };
type Json = string | null | readonly string[] | Readonly<Record<string, unknown>>;

export const PROPERTIES = Object.keys(properties) as readonly (keyof Customer)[];

/** @returns all properties, null where `given` has none */
export function whole(given: Patch): Customer {
	return Object.fromEntries(PROPERTIES.map((name) => [name, given[name] ?? null])) as Customer;
}

/** RFC 7396 for the properties of one record: absent is untouched, null clears, an object is merged. */
export function patched(before: Customer, { address, ...patch }: Patch): Customer {
	const merged = { ...before, ...patch } as Customer;
	if (address === undefined) return merged;
	const known = before.address as Record<string, unknown> | null;
	return { ...merged, address: address === null ? null : { ...known, ...address } };
}

/** The names of the properties whose values differ. */
export function changedBetween(before: Customer | null, after: Customer | null): string[] {
	return PROPERTIES.filter(
		(name) => JSON.stringify(before?.[name] ?? null) !== JSON.stringify(after?.[name] ?? null),
	);
}
