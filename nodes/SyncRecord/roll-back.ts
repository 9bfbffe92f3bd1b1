import { DateTime } from 'luxon';
import type { IDataObject } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import type { RunFilter } from '../../src/core/roll-back';
import { HASH_PREFIX } from '../../src/core/sign-off-csv';
import { type RollBackStore, rollBackRun } from '../../src/store/roll-back';
import { nameList, oneOf, optionalText, text, wholeNumber } from '../shared/settings';
import { CREATED_RECORDS, ROLL_BACK_WAYS, RUNS } from './roll-back-properties';

/** Lines of each list in the answer. */
const LISTED = 100;

/** Reads what the operation Roll Back a Run is asked for, and does it. @throws SyncError INVALID_SETTING, and what `rollBackRun` throws */
export async function rollBackGiven(
	store: RollBackStore,
	read: (name: string) => unknown,
	{ policy, nowMs, zone }: { policy: string; nowMs: number; zone: string },
): Promise<IDataObject> {
	const apply = oneOf('Do', read('rollBackDo'), ROLL_BACK_WAYS) === 'apply';
	const filter = readFilter(read, { zone, nowMs });
	if (filter.untilMs > nowMs) throw new SyncError('INVALID_SETTING', '"Until" must be past: a run that goes on cannot be rolled back. Stop the policy first (Sync Policy: Set Mode, Stopped).');
	if (filter.fromMs >= filter.untilMs) throw new SyncError('INVALID_SETTING', '"From" must be before "Until"');
	const report = await rollBackRun(store, {
		policy,
		filter,
		run: nameOf(filter),
		by: apply ? text('By', read('by')) : '',
		apply,
		created: oneOf('Records That the Run Created', read('rollBackCreated') ?? 'leave', CREATED_RECORDS),
		limit: wholeNumber('Records at Most', read('rollBackLimit'), 1),
		listed: LISTED,
		after: optionalText('After', read('rollBackAfter')) || '0',
	});
	return { policy, rolledBack: apply, run: nameOf(filter), ...report } as unknown as IDataObject;
}

function readFilter(read: (name: string) => unknown, { zone, nowMs }: { zone: string; nowMs: number }): RunFilter {
	const { system, entity, fields, policyHash } = (read('runFilter') ?? {}) as Readonly<Record<string, unknown>>;
	const given = (label: string, value: unknown): string | null => optionalText(label, value) || null;
	const isExecution = oneOf('The Run', read('rollBackRun') ?? 'time', RUNS) === 'execution';
	const when = isExecution ? { fromMs: 0, untilMs: nowMs } : { fromMs: moment('From', read('from'), zone), untilMs: moment('Until', read('until'), zone) };
	return {
		...when,
		execution: isExecution ? text('Execution ID', read('rollBackExecution')) : null,
		system: given('Written System', system),
		entity: given('Entity', entity),
		fields: given('Fields', fields) === null ? null : nameList('Fields', fields),
		policyHash: given('Policy Hash', policyHash)?.replace(HASH_PREFIX, '') ?? null,
	};
}

/** A moment as the editor gives it, without a zone, or as an expression does. */
function moment(label: string, value: unknown, zone: string): number {
	const given = text(label, typeof value === 'object' && value !== null ? String(value) : value);
	const ms = DateTime.fromISO(given.replace(' ', 'T'), { zone }).toMillis();
	if (Number.isNaN(ms)) throw new SyncError('INVALID_SETTING', `"${label}" must be a moment such as 2026-01-31T12:00:00Z, not "${String(value)}"`);
	return ms;
}

function nameOf({ fromMs, untilMs, system, entity, fields, policyHash, execution }: RunFilter): string {
	const what = [system && `to ${system}`, entity, fields?.join(', '), policyHash && `under ${policyHash.slice(0, 12)}`].filter(Boolean).join(', ');
	if (execution !== null) return `what execution ${execution} decided${what ? ` (${what})` : ''}`;
	return `what was decided from ${new Date(fromMs).toISOString()} until ${new Date(untilMs).toISOString()}${what ? ` (${what})` : ''}`;
}
