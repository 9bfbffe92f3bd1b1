import { equalJson, type Json } from '../../src/core/canonical-json';
import { EXISTENCE, existsIn, isStill, type Key, type LinkState } from '../../src/core/link';
import type { EntityPolicy } from '../../src/core/policy';
import { compare } from '../../src/core/version-vector';
import { keyTextOf, type SimulatedRow } from './simulated-database';

/** One system's rows by the text of their key; see `keyTextOf`. */
export interface SystemRows {
	readonly rows: Readonly<Record<string, Pick<SimulatedRow, 'key' | 'columns'>>>;
}

/** I15: each row is of exactly one link, or a person is or was asked whose it is. */
export function wrongRows(
	states: readonly LinkState[],
	dbs: Readonly<Record<string, SystemRows>>,
	wasAsked: boolean,
): string | null {
	const isAsked = wasAsked || states.some(({ fields }) => fields[EXISTENCE]?.frozen != null);
	for (const [system, { rows }] of Object.entries(dbs)) {
		for (const [key, row] of Object.entries(rows)) {
			const owners = states.filter((state) => hasRow(state, system, row.key));
			if (owners.length > 1) return `I15 row ${key} of ${system} is of ${owners.length} links`;
			if (owners.length === 0 && !isAsked) return `I15 row ${key} of ${system} is of no link`;
		}
	}
	return null;
}

function hasRow(state: LinkState, system: string, key: Key): boolean {
	return existsIn(state, system) && equalJson({ ...state.keys[system] }, { ...key });
}

interface World {
	readonly entity: EntityPolicy;
	readonly dbs: Readonly<Record<string, SystemRows>>;
	/** All links; a row that stands under the key of a record that is gone is one of theirs. */
	readonly others: readonly LinkState[];
}

/** I1, I2, I8 and I13 for one link that is at rest. */
export function wrongLink(
	state: LinkState,
	{ entity, dbs, others }: World,
): string | null {
	if (Object.keys(state.inFlight).length > 0) return 'an operation is in flight although nothing is due';
	for (const [system, db] of Object.entries(dbs)) {
		const wrong = unfaithful(state, { system, db, entity, others });
		if (wrong !== null) return wrong;
	}
	const existence = state.fields[EXISTENCE];
	// Nothing flows in a record that a person has to decide about.
	const isHeld = existence?.frozen != null && existence.merged?.canon !== true;
	for (const name of isHeld ? [] : [EXISTENCE, ...entity.fields.keys()]) {
		const wrong = wrongField(state, name);
		if (wrong !== null) return wrong;
	}
	return null;
}

/** I2: the views show the rows. */
function unfaithful(
	state: LinkState,
	{ system, db, entity, others }: { system: string; db: SystemRows; entity: EntityPolicy; others: readonly LinkState[] },
): string | null {
	const key = state.keys[system];
	if (key === undefined) return null;
	const row = db.rows[keyTextOf(key)];
	const exists = existsIn(state, system);
	if (row !== undefined && !exists && others.some((other) => hasRow(other, system, row.key))) return null; // Its successor's.
	if ((row !== undefined) !== exists) return `I2 ${system} ${row ? 'has' : 'has not'} the row, the view says otherwise`;
	if (row === undefined) return null;
	for (const field of entity.fields.values()) {
		const column = field.columns.get(system)?.column;
		const view = state.fields[field.name]?.views[system];
		if (column === undefined || view === undefined) continue;
		const actual = row.columns[column] ?? null;
		if (!equalJson(actual, view.raw)) {
			return `I2 ${field.name} in ${system} is ${JSON.stringify(actual)}, the view says ${JSON.stringify(view.raw)}`;
		}
	}
	return null;
}

function wrongField(state: LinkState, name: string): string | null {
	const field = state.fields[name];
	if (!field || isStill(field)) return null;
	const systems = Object.entries(field.views).filter(([system]) => name === EXISTENCE || existsIn(state, system));
	const versions: { who: string; canon: Json; vector: Parameters<typeof compare>[0]; accepted: boolean }[] = systems.map(
		([who, { canon, vector, accepted }]) => ({ who, canon, vector, accepted: accepted === true }),
	);
	if (field.merged) versions.push({ who: 'the merged version', accepted: false, ...field.merged });
	for (const [index, a] of versions.entries()) {
		if (field.merged && ['after', 'concurrent'].includes(compare(a.vector, field.merged.vector))) {
			return `I13 ${name}: ${a.who} has changes that were never decided about`;
		}
		for (const b of versions.slice(index + 1)) {
			const equal = equalJson(a.canon, b.canon);
			if (equal || a.accepted || b.accepted) continue;
			if (compare(a.vector, b.vector) === 'equal') return `I8 ${name}: ${a.who} and ${b.who} have equal vectors and different values`;
			return `I1 ${name}: ${a.who} has ${JSON.stringify(a.canon)}, ${b.who} has ${JSON.stringify(b.canon)}`;
		}
	}
	return null;
}
