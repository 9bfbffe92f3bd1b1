import { equalJson, type Json } from '../../src/core/canonical-json';
import type { LinkState, Operation } from '../../src/core/link';
import { entityOfTable, readFields } from '../../src/core/mapping';
import type { EntityPolicy, FieldPolicy, Policy } from '../../src/core/policy';
import { silence, verdictOn } from '../support/silent-overwrite';
import type { Overwrite } from '../support/simulated-writer';
import {
	authorsOf,
	foreignVersion,
	GONE,
	initialVersion,
	operationVersion,
	type TrueVersion,
	type TrueWrite,
} from '../support/true-causality';
import type { WitnessedRow, WitnessedTransaction, WitnessedValues } from '../support/witness';

/** What the sync has to say for itself. */
export interface Testimony {
	readonly operations: ReadonlyMap<string, Operation>;
	/** See `namedBy`; the record is the link's id. */
	readonly named: ReadonlySet<string>;
	readonly states: readonly LinkState[];
}

export interface Judgement {
	/** Silent overwrites, in words. */
	readonly problems: readonly string[];
	/** Values of users that our writes replaced. */
	readonly overwritten: number;
	/** Among them those that had been set back to what the write expected. */
	readonly netZero: number;
}

/** A row change, and which row that is: the number stays when the key changes. */
interface TrackedChange {
	readonly id: number;
	readonly system: string;
	readonly row: WitnessedRow;
}

/**
 * Who had really seen what, as the logs of both systems tell it: the yardstick for "no silent
 * overwrite". Everything was equal and at rest when it begins, and whenever it is forgotten.
 */
export class Truth {
	/** Every place where a row was, or is: no place is used twice, for keys are generated. */
	readonly #rows = new Map<string, number>();
	readonly #versions = new Map<string, TrueVersion>();
	#writes: Record<number, TrueWrite> = {};
	#count = 0;

	constructor(private readonly policy: Policy) {}

	/** Everything is equal and at rest: nobody who writes from now on has missed anything. */
	forget(): void {
		this.#writes = {};
		this.#versions.clear();
	}

	/** As {@link forget}; and a system went back to a copy, so that keys are generated again. */
	forgetRows(): void {
		this.forget();
		this.#rows.clear();
	}

	/** @param transactions - of all systems, in the order of time */
	judge(transactions: readonly WitnessedTransaction[], testimony: Testimony): Judgement {
		const changes = transactions.flatMap((transaction) => this.#track(transaction));
		const recordOf = this.#records(testimony.states);
		const linkAt = this.#linksByPlace(testimony.states, recordOf);
		const overwrites = changes.flatMap((change) => this.#read(change, { ...testimony, record: recordOf(change.id), linkAt }));
		const verdicts = overwrites.map((overwrite) => ({
			overwrite,
			verdict: verdictOn(overwrite, { truth: this.#writes, named: testimony.named }),
		}));
		return {
			problems: verdicts
				.filter(({ verdict }) => verdict === 'silent')
				.map(({ overwrite }) => silence(overwrite, this.#writes)),
			overwritten: overwrites.length,
			netZero: verdicts.filter(({ verdict }) => verdict === 'net-zero').length,
		};
	}

	/** Follows the rows of a transaction as their keys change. */
	#track({ system, rows }: WitnessedTransaction): TrackedChange[] {
		return rows.flatMap((row) => {
			const entity = entityOfTable(this.policy, system, 'public', row.table);
			if (!entity) return [];
			const [before, after] = [row.before, row.after].map((values) => placeOf(entity, system, values));
			const id = this.#rows.get(before ?? '') ?? (this.#count += 1);
			for (const place of [before, after]) if (place) this.#rows.set(place, id);
			return [{ id, system, row }];
		});
	}

	/** The link of each row, by the place where the sync saw it last. */
	#records(states: readonly LinkState[]): (id: number) => string {
		const links = new Map<number, string>();
		for (const { id, entity, keys } of states) {
			const policy = this.policy.entities.get(entity);
			for (const [system, key] of Object.entries(keys)) {
				const row = this.#rows.get((policy && placeOf(policy, system, key)) ?? '');
				if (row !== undefined) links.set(row, id);
			}
		}
		return (id) => links.get(id) ?? `row ${id}`;
	}

	/** The link of the row that has, or had, a place. */
	#linksByPlace(states: readonly LinkState[], recordOf: (id: number) => string): (place: string) => string | undefined {
		const links = states.flatMap(({ id, entity, keys }) => {
			const policy = this.policy.entities.get(entity);
			return Object.entries(keys).map(([system, key]) => [(policy && placeOf(policy, system, key)) ?? '', id] as const);
		});
		const byPlace = new Map(links);
		return (place) => {
			const row = this.#rows.get(place);
			return row === undefined ? byPlace.get(place) : recordOf(row);
		};
	}

	/** The row's canonical values; of a field that names another record, that record's link. */
	#canonOf(entity: EntityPolicy, values: WitnessedValues | null | undefined, { system, linkAt }: Place): Map<string, Json> {
		const found = canonOf(entity, system, values);
		for (const [name, canon] of found) {
			const target = this.policy.entities.get(entity.fields.get(name)?.references ?? '');
			const [column = ''] = target?.tables.get(system)?.key ?? [];
			if (target && canon !== null) found.set(name, linkAt(placeOf(target, system, { [column]: canon }) ?? '') ?? canon);
		}
		return found;
	}

	#read({ id, system, row }: TrackedChange, { operations, record, linkAt }: Reading): Overwrite[] {
		const entity = entityOfTable(this.policy, system, 'public', row.table);
		if (!entity) return [];
		const op = row.marker?.outcome === 'applied' ? operations.get(row.marker.op) : undefined;
		const [before, after] = [row.before, row.after].map((values) => this.#canonOf(entity, values, { system, linkAt }));
		return [...entity.fields.values()].flatMap((field) => {
			const cell = { place: `${id} ${field.name}`, record, field, before: before?.get(field.name), system };
			return op
				? this.#written(cell, op)
				: this.#changed(cell, row.after === null ? GONE : after?.get(field.name));
		});
	}

	#written({ place, record, field, before }: Cell, op: Operation): Overwrite[] {
		const { name } = field;
		const written = op.fields[name];
		if (written === undefined && op.kind !== 'delete') return [];
		const version = this.#versionOf(place, before);
		const by = op.kind === 'delete' ? undefined : written?.canon;
		if (by !== undefined) {
			const authors = authorsOf(this.#writes, { record, field: name, value: by });
			this.#versions.set(place, operationVersion(version, by, authors));
		}
		if (version?.by == null || isMerged(field)) return [];
		return [{ op: op.id, record, field: name, write: version.by, by }];
	}

	#changed({ place, record, field, before, system }: Cell, value: Json | undefined): [] {
		if (value === undefined || (before !== undefined && equalJson(before, value))) return [];
		const id = (this.#count += 1);
		const version = foreignVersion(this.#versionOf(place, before), id, value);
		const { past, sure, run } = version;
		this.#versions.set(place, version);
		this.#writes[id] = { id, system, record, field: field.name, value, past, sure, run };
		return [];
	}

	#versionOf(place: string, before: Json | undefined): TrueVersion | undefined {
		return this.#versions.get(place) ?? (before === undefined ? undefined : initialVersion(before));
	}
}

interface Place {
	readonly system: string;
	readonly linkAt: (place: string) => string | undefined;
}

interface Reading extends Pick<Testimony, 'operations'>, Pick<Place, 'linkAt'> {
	readonly record: string;
}

/** One field of one row. */
interface Cell {
	readonly place: string;
	readonly record: string;
	readonly field: FieldPolicy;
	readonly before: Json | undefined;
	readonly system: string;
}

/** What such a field ends with contains every change; its sums are checked instead. */
const MERGED: readonly string[] = ['delta', 'union'];

function isMerged({ authority }: FieldPolicy): boolean {
	return authority.kind === 'shared' && MERGED.includes(authority.resolve.kind);
}

function placeOf(
	{ name, tables }: EntityPolicy,
	system: string,
	values: WitnessedValues | null | undefined,
): string | null {
	const key = tables.get(system)?.key;
	if (!values || !key) return null;
	return [name, system, ...key.map((column) => String(values[column]))].join(' ');
}

function canonOf(
	entity: EntityPolicy,
	system: string,
	values: WitnessedValues | null | undefined,
): Map<string, Json> {
	const readings = values ? readFields(entity, system, values) : new Map<string, never>();
	const found = new Map<string, Json>();
	for (const [name, reading] of readings) {
		if (reading.state === 'value') found.set(name, reading.canon);
	}
	return found;
}
