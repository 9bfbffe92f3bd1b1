import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import type { ChangeEvent } from '../../src/core/change-event';
import { SyncError } from '../../src/core/errors';
import { isBeingTakenIn } from '../../src/core/fresh-read';
import type { Key } from '../../src/core/link';
import { differenceOf, differenceToken, type RecordDifference } from '../../src/core/reconcile-record';
import { type FreshStore, observeFresh } from '../../src/store/fresh-reads';
import { policyInForce } from '../../src/store/published-policy';
import type { PublishedPolicy } from '../../src/store/sync-store';
import { chunks } from './chunks';
import { differencesOf, type FoundDifference } from './compare-systems';
import { lookAt } from './look';
import { unsettled } from './report';
import type { RowSource } from './row-source';

const approvedSchema = z.looseObject({
	run: z.string(),
	entity: z.string(),
	link: z.string().nullable(),
	keys: z.record(z.string(), z.record(z.string(), z.json())),
	token: z.string(),
});

/** An item of a comparison, as a person has approved it. */
export type Approved = z.infer<typeof approvedSchema>;

/** @throws SyncError INVALID_SETTING for an item that is none of a comparison */
export function parseApproved(json: IDataObject): Approved {
	const parsed = approvedSchema.safeParse(json);
	if (parsed.success) return parsed.data;
	throw new SyncError('INVALID_SETTING', 'Repair takes the items of the outputs Different, Only In A and Only In B of a comparison, unedited: one of its input items is none');
}

export interface RepairParts {
	readonly store: FreshStore;
	readonly published: PublishedPolicy;
	readonly sides: readonly RowSource[];
	readonly later: (system: string) => Promise<RowSource>;
}

export interface LeftAlone {
	readonly approved: Approved;
	readonly reason: string;
}

const CHANGED = 'it is not any more, or no longer in the same way, what was approved';

/** Looks at approved differences again: those that are still there, to the value, and those that are not. */
export async function stillThere(approved: readonly Approved[], parts: RepairParts): Promise<{ found: FoundDifference[]; left: LeftAlone[] }> {
	const { store, published, sides } = parts;
	const inForce = policyInForce(published);
	const systems = sides.map(({ system }) => system);
	const found: FoundDifference[] = [];
	const left: LeftAlone[] = [];
	for (const some of chunks(approved)) {
		const { links } = await store.load({ policy: published.name, links: some.flatMap(({ link }) => link ?? []) });
		const states = new Map(links.map(({ state }) => [state.id, state]));
		const reads = await readAll(some.map((one) => ({ ...one, keys: { ...one.keys, ...(states.get(one.link ?? '')?.keys ?? {}) } })), sides);
		const now = differencesOf(await lookAt(store, published, reads), { published, systems });
		const unread = [...states.values()].filter(isBeingTakenIn).flatMap((state) => differenceOf({ before: state, after: state, systems }, inForce) ?? []);
		const byToken = new Map([...unread.map((difference) => ({ difference, reads: [], newRows: [] })), ...now].flatMap((one) => tokensOf(one.difference, published).map((token) => [token, one] as const)));
		for (const one of some) {
			const same = byToken.get(one.token);
			if (same) found.push(same);
			else left.push({ approved: one, reason: CHANGED });
		}
	}
	return { found, left };
}

/** As it is listed with, and without, what has been settled on. */
function tokensOf(difference: RecordDifference, { macKey }: PublishedPolicy): string[] {
	const bare = unsettled(difference);
	return [difference, ...(bare ? [bare] : [])].map((one) => differenceToken(one, macKey));
}

async function readAll(records: readonly { readonly entity: string; readonly keys: Readonly<Record<string, Key>> }[], sides: readonly RowSource[]): Promise<ChangeEvent[]> {
	const reads: ChangeEvent[] = [];
	for (const side of sides) {
		for (const entity of new Set(records.map((record) => record.entity))) {
			const keys = records.flatMap((record): Key[] => (record.entity === entity && record.keys[side.system] ? [record.keys[side.system] ?? {}] : []));
			reads.push(...(await side.read(entity, keys)));
		}
	}
	return reads;
}

/**
 * The reads by which Echo Filter learns of the differences. Rows that no link has are observed here first, and held
 * (see `heldUntilReadAgain`); what Echo Filter gets is their second read, at a place after that.
 */
export async function readsToObserve(found: readonly FoundDifference[], parts: RepairParts): Promise<ChangeEvent[]> {
	const { store, published } = parts;
	const held = await observeFresh(store, published.name, found.flatMap(({ newRows }) => newRows));
	const refused = held.find((one) => one instanceof SyncError);
	if (refused) throw refused;
	return countGone([...found.flatMap(({ reads }) => reads), ...(await secondReads(found, parts))]);
}

/** Of rows that were held just now, or by a repair that was cut short. */
async function secondReads(found: readonly FoundDifference[], { sides, later }: RepairParts): Promise<ChangeEvent[]> {
	const wanted = found.flatMap(({ difference: { entity, keys, isBeingTakenIn: isHeld }, newRows }) => [
		...newRows.map((event) => ({ system: event.system, entity, key: event.key as Key })),
		...(isHeld ? Object.entries(keys).map(([system, key]) => ({ system, entity, key })) : []),
	]);
	const reads: ChangeEvent[] = [];
	for (const system of sides.map((side) => side.system)) {
		const mine = wanted.filter((one) => one.system === system);
		if (mine.length === 0) continue;
		const side = await later(system);
		try {
			const records = mine.map(({ entity, key }) => ({ entity, keys: { [system]: key } }));
			for (const some of chunks(records)) reads.push(...(await readAll(some, [side])));
		} finally {
			await side.close();
		}
	}
	return reads.map((event) => withFresh(event, { again: true }));
}

/** Each delete says how many there are in all: items may be divided on their way. */
function countGone(reads: readonly ChangeEvent[]): ChangeEvent[] {
	const counts = new Map<string, number>();
	const groupOf = ({ system, entity }: ChangeEvent): string => `${system} ${entity}`;
	for (const event of reads) if (event.op === 'd') counts.set(groupOf(event), (counts.get(groupOf(event)) ?? 0) + 1);
	return reads.map((event) => (event.op === 'd' ? withFresh(event, { gone: counts.get(groupOf(event)) ?? 1 }) : event));
}

function withFresh(event: ChangeEvent, facts: { again: true } | { gone: number }): ChangeEvent {
	const { fresh } = event.source;
	return fresh === undefined ? event : { ...event, source: { ...event.source, fresh: { ...fresh, ...facts } } };
}
