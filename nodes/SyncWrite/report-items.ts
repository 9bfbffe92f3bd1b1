import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { outcomeOfReply, headerOf, type HttpOutcome } from '../../src/core/http-outcome';
import { parseFields } from '../../src/core/given-json';
import { keyOf } from '../../src/core/mapping';
import { rowOfPayload, propertiesOf } from '../../src/core/payload';
import type { EntityPolicy, Policy } from '../../src/core/policy';
import { wakeFinding, wakeItem } from '../../src/core/wake-item';
import { concurrentFields } from '../../src/core/decide';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import { reportOutcomes, type HeldReport, type ReportResult } from '../../src/store/report-outcomes';
import type { SyncStore } from '../../src/store/sync-store';
import { type InputItem, readEach, withFinding } from '../shared/items';
import { ECHO_FILTER } from '../shared/observe-items';
import { optionsOf } from '../shared/read-given';
import { apiEntity, eventItem, mappedProperties, textOf, versionOf } from '../shared/reading-items';
import { emptyOutputs, errorFinding, type Outputs } from '../shared/run-node';
import { text } from '../shared/settings';
import { BEGIN, type BegunFinding, parseBegun } from './begun';
import { readReply } from './http-reply';
import { OUTPUTS } from './operations';
import { FAILED, WRITE } from './route';

const APPLIED = 0;
const READ_AGAIN = 1;

interface ReportItem extends InputItem {
	readonly begun: BegunFinding;
	readonly report: HeldReport;
}

/** Makes of the answers of an API what they mean for the writes that they answer. */
export async function reportItems(context: IExecuteFunctions, store: SyncStore, items: readonly INodeExecutionData[]): Promise<Outputs> {
	const policyName = text('Policy', context.getNodeParameter('policy', 0));
	const { policy } = policyInForce(requirePublished(await store.load({ policy: policyName }), policyName));
	const outputs = emptyOutputs(OUTPUTS.report.length);
	const { read, unread } = readEach(items, (input) => readItem(context, input, policy));
	for (const input of unread) outputs[FAILED]?.push(withFinding(input, WRITE, { op: null, outcome: 'none', error: errorFinding(input.error) }));
	const results = read.length > 0 ? await reportOutcomes(store, policyName, read.map(({ report }) => report)) : [];
	read.forEach((item, at) => {
		const result = results[at];
		if (result) route(outputs, item, result);
	});
	return outputs;
}

function route(outputs: Outputs, { index, item, begun, report }: ReportItem, result: ReportResult): void {
	const { reported, state, due, ticket, waitMs } = result;
	const { op, system, entity, link: id, key } = begun;
	const outcome = reported.kind === 'settled' ? reported.as : report.outcome.kind;
	const finding = { op, outcome, tried: [op], ...(waitMs === null ? {} : { waitMs }), ...errorOf(report.outcome, system) };
	if (reported.kind === 'waits' || (reported.kind === 'settled' && reported.as === 'refused')) {
		// The item stays as it is: the API's own words are in it.
		outputs[FAILED]?.push(withFinding({ index, item }, WRITE, finding));
		return;
	}
	const event = wakeItem({ id, entity, keys: state?.keys ?? (key ? { [system]: key } : {}) }, system);
	const woken = withFinding({ index, item: eventItem(event, { json: {} }) }, WRITE, finding);
	const found = { ...wakeFinding(id, due, state ? concurrentFields(state) : []), ticket };
	const observed = withFinding({ index, item: woken }, ECHO_FILTER, found);
	const isRead = reported.kind === 'read';
	const again = withFinding({ index, item: observed }, BEGIN, { ...begun, ticket, readFirst: true });
	outputs[isRead ? READ_AGAIN : APPLIED]?.push(isRead ? again : observed);
}

function errorOf(outcome: HttpOutcome, system: string): { error?: { message: string; remedy: string } } {
	switch (outcome.kind) {
		case 'applied':
		case 'stale':
		case 'exists':
		case 'gone':
			return {};
		case 'refused':
			return {
				error: {
					message: `${system} refuses the write: it ${outcome.said}`,
					remedy: 'The fields wait for a person: correct the value in the system it comes from, or resolve the review item with the Dead Letter Queue node.',
				},
			};
		case 'forbidden':
			return { error: { message: `${system} refuses our credential: it ${outcome.said}`, remedy: 'Correct the credential of the node that sends the write. The write is tried again.' } };
		case 'later':
			return { error: { message: `${system} ${outcome.said}`, remedy: 'The write is tried again by itself.' } };
	}
}

function readItem(context: IExecuteFunctions, input: InputItem, policy: Policy): ReportItem {
	const { index } = input;
	const begun = parseBegun(context.getNodeParameter('begun', index));
	const entity = apiEntity(policy, begun.system, begun.entity);
	const reply = readReply({
		status: context.getNodeParameter('statusCode', index, ''),
		headers: context.getNodeParameter('headers', index, ''),
		error: context.getNodeParameter('error', index, ''),
	});
	const outcome = outcomeOfReply(reply, begun.kind, Date.now());
	const options = optionsOf(context, index);
	const { op, link, system, attempt, token, kind } = begun;
	const version = versionOf(options['version']);
	const etag = textOf('ETag', options['etag']) ?? headerOf(reply.headers, 'etag') ?? null;
	const { row, key } = returnedOf(context.getNodeParameter('returned', index, ''), { outcome, entity, begun });
	const whole = row !== null && mappedProperties(entity, system).every((name) => Object.hasOwn(row, name));
	const facts = outcome.kind === 'applied' && kind !== 'delete' ? { ...(version === null ? {} : { version }), ...(etag === null ? {} : { etag }), whole } : { whole: false };
	const isMissingDeleted = options['notFoundMeansDeleted'] === true;
	return { ...input, begun, report: { op, link, system, attempt, token, outcome, row, key, facts, isMissingDeleted } };
}

/** The record in the answer, where it is one: an answer to a delete, or an empty one, shows none. */
function returnedOf(
	value: unknown,
	{ outcome, entity, begun: { system, kind, key: known } }: { outcome: HttpOutcome; entity: EntityPolicy; begun: BegunFinding },
): Pick<HeldReport, 'row' | 'key'> {
	const payload = outcome.kind === 'applied' && kind !== 'delete' ? parseFields(value) : null;
	if (payload === null) return { row: null, key: null };
	const row = rowOfPayload(payload, propertiesOf(entity, system));
	const mapped = mappedProperties(entity, system).filter((name) => Object.hasOwn(row, name));
	const hasKey = entity.tables.get(system)?.key.every((name) => row[name] != null) ?? false;
	return { row: mapped.length > 0 ? row : null, key: known ?? (hasKey ? keyOf(entity, system, row) : null) };
}
