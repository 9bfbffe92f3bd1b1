import { apiRecordOf } from './api-record';
import { equalJson } from './canonical-json';
import type { JournalEntry } from './journal';
import type { LinkState } from './link';
import { readFields } from './mapping';
import type { EntityPolicy } from './policy';
import type { RecordChange } from './record-change';
import { compareVersions } from './record-version';

/**
 * What a reading that is older than what is known says of the moment of our last write without a condition: values that
 * stood there after we had read the record, and that were gone when it was read again. Our write may have replaced
 * them unseen. They are not put back, for somebody in that system may have replaced them as well; the journal names them.
 */
export function toldLate(state: LinkState, change: RecordChange, entity: EntityPolicy): JournalEntry[] {
	const { system, exists, columns, reading: facts } = change;
	const { wrote } = apiRecordOf(state, system);
	const version = facts?.version;
	if (wrote === undefined || version === undefined || exists !== true || compareVersions(version, wrote.after) !== 'newer') return [];
	const readings = readFields(entity, system, columns);
	return Object.entries(wrote.fields).flatMap(([field, { expected, canon }]): JournalEntry[] => {
		const reading = readings.get(field);
		const known = state.fields[field]?.views[system];
		if (reading?.state !== 'value' || known === undefined || equalJson(reading.raw, known.raw)) return [];
		const isOurs = equalJson(reading.canon, canon) || (expected !== undefined && equalJson(reading.raw, expected));
		return isOurs ? [] : [{ kind: 'late', field, system, detail: { found: reading.canon, wrote: canon, version } }];
	});
}
