import type { JournalEntry } from '../../src/core/journal';
import type { Operation } from '../../src/core/link';
import type { CommittedLink } from '../support/simulated-nodes';
import type { Written } from '../support/simulated-writer';

/** What a node did, as the middle of a sentence: "sees …, propagates …". */
export function describeCommits(committed: readonly CommittedLink[]): string {
	const parts = committed.flatMap(({ journal }) => journal.flatMap(describeEntry));
	return parts.join(', ') || 'changes nothing';
}

export function describeOperation({ id, kind, fields }: Operation): string {
	const writes = Object.entries(fields).map(([name, { expected, next }]) => {
		const from = expected === undefined ? '' : `${JSON.stringify(expected)} → `;
		return `${name} ${from}${JSON.stringify(next) ?? ''}`;
	});
	return `${shortName(id)} (${kind} ${writes.join(', ')})`;
}

export function describeOutcome({ op, outcome, recorded }: Written['outcomes'][number]): string {
	return `${shortName(op)} ${recorded ? `was ${outcome} before` : outcome}`;
}

/** "billing 1" for `<link>:billing:1`. */
function shortName(op: string): string {
	return `op ${op.split(':').slice(1).join(' ')}`;
}

function describeEntry(entry: JournalEntry): string[] {
	switch (entry.kind) {
		case 'observed':
			return [describeChange(entry.change)];
		case 'created':
			return ['makes a link'];
		case 'decided':
			return [];
		case 'resolved':
			return ['takes the answer'];
		case 'held':
			return [`${entry.hold.action}s fields`];
		case 'rolled-back':
			return ['rolls back a run'];
		case 'attempted':
			return [`attempt ${entry.attempt.count} at ${shortName(entry.attempt.op)} is ${entry.attempt.state}`];
		default:
			return [[entry.kind, entry.field, entry.system && `(${entry.system})`].filter(Boolean).join(' ')];
	}
}

function describeChange({ system, exists, columns, marker }: Extract<JournalEntry, { kind: 'observed' }>['change']): string {
	const row = exists === false ? 'the row gone' : exists === null ? '' : JSON.stringify(columns);
	const ours = marker ? `the marker "${marker.outcome}" of ${shortName(marker.op)}` : '';
	return `sees in ${system} ${[row, ours].filter(Boolean).join(' with ')}`;
}
