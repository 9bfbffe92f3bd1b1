import { randomBytes } from 'node:crypto';

import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { ChangeEvent } from '../../src/core/change-event';
import { SyncError } from '../../src/core/errors';
import { EXISTENCE } from '../../src/core/link';
import type { Policy } from '../../src/core/policy';
import { mostNamed } from '../../src/core/reconcile-run';
import type { PgSettings } from '../../src/postgres/connect';
import { keepComparison } from '../../src/store/keep-health';
import { keepRun } from '../../src/store/keep-run';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import { filled } from '../shared/items';
import { CONNECT_WITH, databaseSettings } from '../shared/open-database';
import type { Outputs } from '../shared/run-node';
import { invalid, nameList, oneOf, optionalText, text, wholeNumber } from '../shared/settings';
import { type Comparison, compareSystems, type FoundDifference } from './compare-systems';
import { type LeftAlone, parseApproved, readsToObserve, type RepairParts, stillThere } from './repair';
import { countOf, listedOf, reportItems } from './report';
import { SystemSide } from './system-side';

/** A run of the node over two systems. */
interface Run {
	readonly id: string;
	readonly store: SyncStore;
	readonly published: PublishedPolicy;
	readonly entities: readonly string[];
	readonly sides: readonly SystemSide[];
	readonly later: (system: string) => Promise<SystemSide>;
	readonly withKnown: boolean;
	readonly keeps: boolean;
	/** All entities that both systems have are looked at. */
	readonly isWhole: boolean;
	readonly startedMs: number;
}

/** Compares two systems of a policy. Changes nothing. */
export async function compare(context: IExecuteFunctions, store: SyncStore): Promise<Outputs> {
	return await inRun(context, store, async (run) => {
		const comparison = await compareSystems(run);
		await keepCount(run, comparison);
		await keepFound(run, comparison);
		return reportItems(comparison, { ...run, run: run.id });
	});
}

/** For Sync Monitor, which tells when nobody has compared for long. A part of the entities is no comparison of the systems. */
async function keepCount({ store, published, sides, isWhole }: Run, { found }: Comparison): Promise<void> {
	if (!isWhole) return;
	const differences = listedOf(found, false).reduce((sum, difference) => sum + countOf(difference), 0);
	await keepComparison(store, published.name, { systems: sides.map(({ system }) => system), differences });
}

/** For people who look at the trend. */
async function keepFound({ id, store, published, sides, startedMs }: Run, { found, rows }: Comparison): Promise<void> {
	const listed = listedOf(found, false);
	const systems = sides.map(({ system }) => system);
	const differences = listed.reduce((sum, difference) => sum + countOf(difference), 0);
	const names = listed.flatMap(({ entity, fields }) => fields.map(({ field }) => `${entity}.${field === EXISTENCE ? 'record' : field}`));
	const records = Object.fromEntries(systems.map((system) => [system, Object.values(rows).reduce((sum, ofEntity) => sum + (ofEntity[system] ?? 0), 0)]));
	await keepRun(store, published.name, { run: id, kind: 'compare', tookMs: Math.round(performance.now() - startedMs), systems, differences, records, byField: mostNamed(names) });
}

/** Gives out what differs as changes to be observed. */
export async function repair(context: IExecuteFunctions, store: SyncStore, items: readonly INodeExecutionData[]): Promise<Outputs> {
	const what = oneOf('Repair What', context.getNodeParameter('repairWhat', 0), ['approved', 'all']);
	const approved = what === 'all' ? [] : filled(items).map(({ item }) => parseApproved(item.json));
	if (what === 'approved' && approved.length === 0) return [[], [], []];
	return await inRun(context, store, async (run) => {
		const parts: RepairParts = { ...run };
		const { found, left } = what === 'all' ? await allOf(run) : await stillThere(approved, parts);
		const reads = await readsToObserve(found, parts);
		const { id, published, sides, startedMs } = run;
		await keepRun(store, published.name, { run: id, kind: 'repair', tookMs: Math.round(performance.now() - startedMs), systems: sides.map(({ system }) => system), differences: found.length, records: {}, byField: [] });
		return repairOutputs(run, reads, { found, left });
	});
}

async function allOf(run: Run): Promise<{ found: readonly FoundDifference[]; left: readonly LeftAlone[] }> {
	const { found } = await compareSystems(run);
	return { found: found.filter((one) => listedOf([one], run.withKnown).length > 0), left: [] };
}

function repairOutputs(run: Run, reads: readonly ChangeEvent[], { found, left }: { found: readonly FoundDifference[]; left: readonly LeftAlone[] }): Outputs {
	const item = (json: object): INodeExecutionData => ({ json: json as IDataObject, pairedItem: { item: 0 } });
	const summary = {
		run: run.id,
		policy: run.published.name,
		records: found.length,
		reads: reads.length,
		leftAlone: left.length,
		places: Object.fromEntries(run.sides.map((side) => [side.system, side.lsn])),
		durationMs: Math.round(performance.now() - run.startedMs),
	};
	return [reads.map(item), left.map(({ approved, reason }) => item({ ...approved, reason })), [item(summary)]];
}

async function inRun(context: IExecuteFunctions, store: SyncStore, work: (run: Run) => Promise<Outputs>): Promise<Outputs> {
	const startedMs = performance.now();
	const name = text('Policy', context.getNodeParameter('policy', 0));
	const published = requirePublished(await store.load({ policy: name }), name);
	if (published.mode === 'first-contact') throw new SyncError('NOT_COMPARABLE', `The policy "${name}" waits for the approval of its first contact, whose report says what differs`);
	const { policy } = policyInForce(published);
	const systems = systemsOf(context, policy);
	const options = context.getNodeParameter('options', 0, {}) as IDataObject;
	const connections = await connectionsOf(context);
	const id = `${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`;
	const waitMs = wholeNumber('Wait for Streams', options['waitSeconds'] ?? 60, 1) * 1_000;
	const later = async (system: string): Promise<SystemSide> => {
		const connection = connections[systems.indexOf(system)];
		if (!connection) throw new TypeError(`there is no connection to ${system}`);
		return await SystemSide.open({ store, published, policy, system, connection, waitMs, run: id });
	};
	const given = optionalText('Entities', options['entities']);
	const entities = entitiesOf(policy, systems, given);
	const opening = systems.map(later);
	try {
		const sides = await Promise.all(opening);
		return await work({ id, store, published, entities, sides, later, withKnown: options['withKnown'] === true, keeps: options['onlyChanged'] === true, isWhole: given === '', startedMs });
	} finally {
		for (const side of await Promise.allSettled(opening)) if (side.status === 'fulfilled') await side.value.close();
	}
}

function systemsOf(context: IExecuteFunctions, { systems, name }: Policy): string[] {
	const given = [text('System A', context.getNodeParameter('systemA', 0)), text('System B', context.getNodeParameter('systemB', 0))];
	const unknown = given.find((system) => !systems.includes(system));
	if (unknown !== undefined) throw invalid('System', `must be one of ${systems.join(', ')}: the policy "${name}" knows no "${unknown}"`);
	if (given[0] === given[1]) throw invalid('System B', 'must be another one than System A');
	return given;
}

/** A node can have one credential of each type: A has the one that is chosen, B the other. */
async function connectionsOf(context: IExecuteFunctions): Promise<PgSettings[]> {
	const ofA = oneOf('Connect System A With', context.getNodeParameter('connectWith', 0), CONNECT_WITH);
	const ofB = CONNECT_WITH.find((type) => type !== ofA);
	return [await databaseSettings(context, ofA), await databaseSettings(context, ofB)];
}

function entitiesOf({ entities, name: policy }: Policy, systems: readonly string[], given: string): string[] {
	const both = [...entities.values()].filter(({ tables }) => systems.every((system) => tables.has(system) && tables.get(system)?.api === undefined));
	const names = both.map(({ name }) => name);
	const wanted = given === '' ? names : nameList('Entities', given);
	const unknown = wanted.find((name) => !names.includes(name));
	if (unknown !== undefined) throw invalid('Entities', `names "${unknown}", of which the policy "${policy}" has no tables in both systems`);
	if (wanted.length === 0) throw invalid('System B', `has no entity in common with System A in the policy "${policy}" whose rows are in tables of both`);
	return wanted;
}
