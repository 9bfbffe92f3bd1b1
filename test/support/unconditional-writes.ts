import { attemptOf } from '../../src/core/api-record';
import { equalJson, type Json } from '../../src/core/canonical-json';
import type { LinkState, Operation } from '../../src/core/link';
import { nameOf } from './named-values';
import type { ApiRules } from './simulated-api';
import type { SentRequest } from './simulated-traffic';
import type { Overwrite } from './simulated-writer';
import { silence, verdictOn } from './silent-overwrite';
import type { TrueWrites } from './true-causality';

/** A request as it reaches the API. */
export interface ApiRequestMade {
	readonly op: Operation;
	/** It had been given up: another one was begun for the operation, or the operation has been settled. */
	readonly isLate: boolean;
	/** An earlier request for the operation may have been carried out, and nobody heard of it. */
	readonly isRepeated: boolean;
	/** What the sync knows at that moment; null: there is no such link any more. */
	readonly known: LinkState | null;
	/** A replica that lagged behind has answered when the record was read for it. */
	readonly isReadLate: boolean;
}

export function requestMade(known: LinkState | null, op: Operation, { count, isReadLate }: SentRequest): ApiRequestMade {
	const attempt = known && attemptOf(known, op.system);
	const isRunning = attempt?.op === op.id && attempt.count === count && attempt.state === 'running';
	return { op, isLate: !isRunning, isRepeated: attempt?.unheard === true, known, isReadLate };
}

interface Replaced {
	readonly overwrite: Overwrite;
	readonly system: string;
	readonly isLate: boolean;
	/** Nobody can tell afterwards what the record was in between. */
	readonly leavesNoTrace: boolean;
}

/** All that the journal says. */
export interface Told {
	readonly named: ReadonlySet<string>;
	/** `system record field value` of all that was observed. */
	readonly observed: ReadonlySet<string>;
}

/**
 * What writes without a condition have replaced. That they replace what nobody has seen is no fault of the sync; that
 * nobody is told of it afterwards is one, with exceptions that the documentation names: what comes between the last
 * reading and the write is lost where no history is left, be it that the API keeps none or that the record is deleted;
 * with neither history nor versions a write is repeated whose value somebody has set back before anybody heard of it; a write is
 * repeated that a replica does not show yet when it is looked for, and what the second one replaces a history tells; and what a
 * request replaces that was given up and comes late has been read, and the late value is seen as a change of the API's.
 */
export class UnconditionalWrites {
	readonly #replaced: Replaced[] = [];

	constructor(
		readonly rules: ApiRules,
		readonly truth: TrueWrites,
	) {}

	/** Whether the operation may be applied once more. */
	mayRepeat({ isLate, isRepeated, isReadLate }: ApiRequestMade): boolean {
		return isLate || (isRepeated && (isReadLate || !canTell(this.rules)));
	}

	note(overwrite: Overwrite, { op: { system }, isLate, isRepeated, known }: ApiRequestMade): void {
		const { rules, truth } = this;
		const view = known?.fields[overwrite.field]?.views[system];
		const wasRead = view !== undefined && equalJson(view.canon, truth[overwrite.write]?.value ?? null);
		const hasHistory = rules.history === true && overwrite.by !== undefined;
		const leavesNoTrace = !hasHistory && (!wasRead || (isRepeated && !canTell(rules)));
		this.#replaced.push({ overwrite, system, isLate, leavesNoTrace });
	}

	/** What has been replaced in silence, when all is at rest. */
	silent({ named, observed }: Told): string[] {
		const { truth } = this;
		return this.#replaced.flatMap(({ overwrite, system, isLate, leavesNoTrace }) => {
			const verdict = verdictOn(overwrite, { truth, named });
			// What was set back is what the write expected.
			if (verdict !== 'silent' || leavesNoTrace) return [];
			const isTold = isLate && observed.has(observedName({ system, ...overwrite, value: truth[overwrite.write]?.value ?? null }));
			return isTold ? [] : [`${isLate ? 'late: ' : ''}${silence(overwrite, truth)}`];
		});
	}
}

/** Whether the API tells that a record has changed that shows what it did before. */
const canTell = ({ history, versions }: ApiRules): boolean => history === true || versions;

export function observedName({ system, record, field, value }: { system: string; record: string; field: string; value: Json }): string {
	return `${system} ${nameOf(record, field, value)}`;
}
