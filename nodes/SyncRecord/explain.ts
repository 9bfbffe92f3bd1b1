import type { IDataObject } from 'n8n-workflow';

import { shownRecord } from '../../src/console/shown-record';
import { toldText } from '../../src/console/told-text';
import { SyncError } from '../../src/core/errors';
import { EXISTENCE, type LinkState } from '../../src/core/link';
import { showLink } from '../../src/core/show-link';
import { tellHistory } from '../../src/core/tell-history';
import { type FoundRecord, loadRecord, type RecordRef } from '../../src/store/load-record';
import { policyInForce } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';

/** Entries of a record's journal that are read at most: from the first one on, for a value is told with what it was before. */
const MAX_ENTRIES = 5_000;

export interface ExplainRequest {
	readonly policy: string;
	readonly record: RecordRef;
	/** Null: all. */
	readonly field: string | null;
	readonly lines: number;
	/** IANA name. */
	readonly zone: string;
}

/** A record as people understand it: what each system holds, what it should hold, what waits, and how it came to that. Sensitive values are masked. */
export async function explainRecord(store: Pick<SyncStore, 'load' | 'readJournal'>, { policy, record, field, lines, zone }: ExplainRequest): Promise<IDataObject> {
	const found = await loadRecord(store, policy, record);
	const { state, entity } = known(found);
	if (field !== null && field !== EXISTENCE && !entity.fields.has(field)) throw new SyncError('FIELD_UNKNOWN', `The entity "${entity.name}" of the policy "${policy}" has no field "${field}"`);
	const entries = await store.readJournal({ policy, link: state.id, limit: MAX_ENTRIES });
	const told = tellHistory(entries, entity).filter(({ fields }) => field === null || fields.includes(field));
	const history = told.slice(-lines).map((line) => ({ at: new Date(line.atMs).toISOString(), tone: line.tone, fields: [...line.fields], sentence: toldText(line, zone) }));
	const shown = shownRecord(state, entity, [EXISTENCE, ...entity.fields.keys()].filter((name) => field === null || name === field));
	const fields = shown.fields.map(({ name, rule, values, merged }) => [name, { rule, shouldBe: merged ?? null, values, ...waiting(state, name) }]);
	return {
		link: state.id,
		entity: state.entity,
		keys: shown.keys,
		due: found.link.due,
		writing: [...shown.writing],
		fields: Object.fromEntries(fields) as IDataObject,
		history,
		historyIsCut: told.length > lines || entries.length === MAX_ENTRIES,
		text: history.map(({ at, sentence }) => `${at}  ${sentence}`).join('\n'),
	};
}

/** The link itself, its sensitive values masked. */
export async function showState(store: Pick<SyncStore, 'load'>, { policy, record }: Pick<ExplainRequest, 'policy' | 'record'>): Promise<IDataObject> {
	const found = await loadRecord(store, policy, record);
	const { state, entity } = known(found);
	const { revision, due, matches } = found.link;
	return { link: state.id, entity: state.entity, revision, due, matches: matches.length, state: showLink(state, entity) as IDataObject };
}

function known({ link, published }: FoundRecord) {
	const { state } = link;
	const entity = policyInForce(published).policy.entities.get(state.entity);
	if (entity) return { state, entity };
	throw new SyncError('RECORD_UNKNOWN', `The record is a "${state.entity}", of which the policy in force says nothing`);
}

function waiting({ fields }: LinkState, name: string): IDataObject {
	const { frozen = null, held } = fields[name] ?? {};
	return {
		...(frozen === null ? {} : { waitsFor: { item: frozen.review, reason: frozen.reason } }),
		...(held === undefined ? {} : { frozenBy: { ...held } }),
	};
}
