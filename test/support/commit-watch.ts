import { equalJson } from '../../src/core/canonical-json';
import type { LinkState, Operation } from '../../src/core/link';
import type { RecordChange } from '../../src/core/record-change';
import { knowledgeLost } from './known-versions';
import { namedBy, recordOf } from './named-values';
import { placeOf } from './silent-overwrite';
import type { CommittedLink } from './simulated-nodes';
import { observedName } from './unconditional-writes';

/** Looks at every commit of a simulated sync: what it names, and whether it does anything forbidden. */
export class CommitWatch {
	readonly violations: string[] = [];
	readonly named = new Set<string>();
	/** All values that were observed; see `observedName`. */
	readonly observed = new Set<string>();
	/** `record field system` of net-zero edits that the journal tells of. */
	readonly toldNetZero: string[] = [];
	/** Applied operations, by id. */
	readonly applied = new Map<string, number>();
	/** Answers that people gave. */
	acts = 0;

	violate(what: string): void {
		this.violations.push(what);
	}

	/** I5: an operation has its effect once. */
	noteApplied(op: string): void {
		const times = (this.applied.get(op) ?? 0) + 1;
		this.applied.set(op, times);
		if (times > 1) this.violate(`I5 operation ${op} was applied ${times} times`);
	}

	note(committed: CommittedLink): void {
		const { before, after, journal } = committed;
		for (const name of namedBy(committed)) this.named.add(name);
		// What a link knew that has become another one's is that one's to know, and what has been taken apart begins anew.
		const isParted = journal.some(({ kind, ...rest }) => kind === 'resolved' && 'resolution' in rest && rest.resolution.choice.kind === 'part');
		const lost = after.into === undefined && !isParted ? knowledgeLost(before, after) : null;
		if (lost !== null) this.violate(lost);
		for (const entry of journal) {
			if (entry.kind === 'observed') this.#noteObserved(entry.change, recordOf(after));
			if (entry.kind !== 'net-zero' || entry.field === undefined) continue;
			this.toldNetZero.push(`${placeOf({ record: recordOf(after), field: entry.field })} ${entry.system ?? ''}`);
		}
		for (const op of newOperations(before, after)) this.#judge(op, after);
	}

	#noteObserved({ system, columns }: RecordChange, record: string): void {
		for (const [field, value] of Object.entries(columns)) this.observed.add(observedName({ system, record, field, value }));
	}

	/** I12: a new operation leaves frozen fields alone. */
	#judge(op: Operation, { fields }: LinkState): void {
		if (op.kind === 'delete') return;
		for (const [name, written] of Object.entries(op.fields)) {
			const field = fields[name];
			if (field?.frozen != null) this.violate(`I12 ${op.id} writes ${name}, which is frozen`);
			if (field?.merged && !equalJson(field.merged.canon, written.canon)) {
				this.violate(`${op.id} writes another value of ${name} than was decided`);
			}
		}
	}
}

function newOperations(before: LinkState | null, after: LinkState): Operation[] {
	return Object.values(after.inFlight).filter(({ id, system }) => before?.inFlight[system]?.id !== id);
}
