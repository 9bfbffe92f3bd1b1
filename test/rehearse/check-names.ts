import { type EXPECTATIONS, isExpectationName } from './expectation';
import type { NumberedStep, Scenario } from './scenario';
import { anyOf, type ScenarioError } from './scenario-error';
import type { Step } from './steps';
import { bindingOf, COLLECTION, shortName, tableNameOf } from './table-name';

type Fail = (line: number, what: string) => ScenarioError;

/**
 * Checks that every system, table and field that a scenario names is one that its policy or its setup
 * knows: what is misspelt would otherwise never happen, or never be looked at.
 *
 * @throws what `fail` makes
 */
export function checkNames(scenario: Scenario, fail: Fail): void {
	const names = new KnownNames(scenario);
	for (const [part, bySystem] of Object.entries({ setup: scenario.setup, given: scenario.given })) {
		for (const system of Object.keys(bySystem)) {
			const wrong = names.wrongSystem(system);
			if (wrong) throw fail(1, `"${part}" ${wrong}`);
		}
	}
	const wrongPolled = first(scenario.polled, (system) => names.wrongSystem(system));
	if (wrongPolled) throw fail(1, `"polled" ${wrongPolled}`);
	for (const [system, tables] of Object.entries(scenario.given)) {
		for (const table of Object.keys(tables)) {
			const wrong = names.wrongTable(system, table);
			if (wrong) throw fail(1, `"given" ${wrong}`);
		}
	}
	for (const step of scenario.steps) {
		const wrong = wrongNameIn(step, names);
		if (wrong) throw fail(step.line, `step ${step.number} (${step.step.name}): ${wrong}`);
	}
}

/** Whether what the step is given has a word for each system. */
function isPerSystem(step: Step): boolean {
	return ['sql', 'tx', 'clock', 'user', 'switch'].includes(step.name);
}

function wrongNameIn({ step }: NumberedStep, names: KnownNames): string | null {
	if (isPerSystem(step)) return first(Object.keys(step.given), (system) => names.wrongSystem(system));
	switch (step.name) {
		case 'resolve':
			return wrongRecord(step.given, names) ?? wrongApply(step.given.apply, names);
		case 'dismiss':
		case 'retry':
		case 'same':
		case 'different':
		case 'freeze':
		case 'unfreeze':
			return wrongRecord(step.given, names);
		case 'expect':
			return wrongExpectation(step.given, names);
		default: {
			const system = systemOf(step);
			return system === undefined ? null : names.wrongSystem(system);
		}
	}
}

/** Of the steps that concern one system. */
function systemOf({ name, given }: NumberedStep['step']): string | undefined {
	if (name === 'drop-slot' || name === 'hold' || name === 'release') return given;
	if (name === 'pump') return given.only;
	return name === 'redeliver' || name === 'pause' || name === 'restore' ? given.system : undefined;
}

function wrongApply(apply: string | undefined, names: KnownNames): string | null {
	return apply === undefined ? null : names.wrongSystem(apply);
}

function wrongRecord(
	{ system, table, key, field }: { system: string; table: string; key: object; field?: string | undefined },
	names: KnownNames,
): string | null {
	return names.wrongSystem(system) ?? names.wrongKey({ system, table, key }) ?? (field === undefined ? null : names.wrongField(field));
}

function wrongExpectation(given: Readonly<Record<string, unknown>>, names: KnownNames): string | null {
	for (const [word, value] of Object.entries(given)) {
		if (value === undefined) continue;
		const wrong = isExpectationName(word) ? wrongWithin(word, value, names) : wrongRows(word, value as object, names);
		if (wrong) return wrong;
	}
	return null;
}

function wrongWithin(word: keyof typeof EXPECTATIONS, value: unknown, names: KnownNames): string | null {
	if (word === 'writes') return first(Object.keys(value as object), (system) => names.wrongSystem(system));
	if (word === 'frozen' && Array.isArray(value)) return first(value.map(String), (field) => names.wrongField(field));
	if (word !== 'reviews' || !Array.isArray(value)) return null;
	return first(value as { field?: string }[], ({ field }) => (field === undefined ? null : names.wrongField(field)));
}

function wrongRows(system: string, tables: object, names: KnownNames): string | null {
	const unknown = names.wrongSystem(system, true);
	return unknown ?? first(Object.keys(tables), (table) => names.wrongTable(system, table));
}

function first<T>(values: readonly T[], wrong: (value: T) => string | null): string | null {
	for (const value of values) {
		const found = wrong(value);
		if (found !== null) return found;
	}
	return null;
}

const CREATE_TABLE = /create\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?([\w."]+)/gi;

/** How a scenario names a record as a whole, where a field could stand. */
export const RECORD = 'record';

class KnownNames {
	readonly #systems: readonly string[];
	readonly #fields = new Set<string>([RECORD]);
	readonly #tables = new Map<string, Set<string>>();

	constructor(private readonly scenario: Scenario) {
		const { steps, policy, setup } = scenario;
		this.#systems = policy.policy.systems;
		for (const version of [policy, ...steps.flatMap((step) => step.policy ?? [])]) {
			for (const entity of version.policy.entities.values()) {
				for (const field of entity.fields.keys()) this.#fields.add(field);
				for (const [system, binding] of entity.tables) {
					this.#tablesOf(system).add(binding.api === undefined ? shortName(binding) : COLLECTION);
				}
			}
		}
		const sql = steps.flatMap(({ step }) => (step.name === 'sql' || step.name === 'tx' ? Object.entries(step.given) : []));
		for (const [system, statements] of [...Object.entries(setup), ...sql]) {
			for (const [, name = ''] of statements.join('\n').matchAll(CREATE_TABLE)) {
				this.#tablesOf(system).add(shortName(tableNameOf(name.replaceAll('"', ''))));
			}
		}
	}

	wrongSystem(system: string, isExpectation = false): string | null {
		if (this.#systems.includes(system)) return null;
		const known = `the policy's systems are ${anyOf(this.#systems)}`;
		return isExpectation ? `there is no expectation "${system}", nor a system of that name; ${known}` : `there is no system "${system}"; ${known}`;
	}

	wrongTable(system: string, table: string): string | null {
		const tables = this.#tablesOf(system);
		if (tables.has(shortName(tableNameOf(table)))) return null;
		return `there is no table "${table}" in ${system}; there are ${anyOf(tables)}`;
	}

	wrongKey({ system, table, key }: { system: string; table: string; key: object }): string | null {
		const bound = bindingOf(this.scenario.policy.policy, system, table);
		if (!bound) return this.wrongTable(system, table) ?? `the policy does not sync the table "${table}" of ${system}`;
		const columns = Object.keys(key);
		const isKey = columns.length === bound.binding.key.length && bound.binding.key.every((column) => columns.includes(column));
		return isKey ? null : `"key" of the table ${table} must have ${anyOf(bound.binding.key)}, and nothing else`;
	}

	wrongField(field: string): string | null {
		if (this.#fields.has(field)) return null;
		return `the policy has no field "${field}"; it has ${anyOf(this.#fields)}`;
	}

	#tablesOf(system: string): Set<string> {
		const known = this.#tables.get(system) ?? new Set();
		this.#tables.set(system, known);
		return known;
	}
}
