import pg from 'pg';

import type { Json } from '../../src/core/canonical-json';
import type { Policy } from '../../src/core/policy';
import type { PostgresServer } from '../support/embedded-postgres';
import { type Customer, whole, Whole } from '../support/rest-crm/customer';
import type { Version } from '../support/rest-crm/records';
import { RestCrm } from '../support/rest-crm/rest-crm';
import type { CrmEvent, Webhooks } from '../support/rest-crm/webhooks';
import { ScenarioDatabase } from './databases';
import type { GivenRows } from './scenario';
import { ScenarioError } from './scenario-error';
import { COLLECTION } from './table-name';
import type { Given } from './steps';

/** Whether a system's records are reached through an API. */
export function isApi({ entities }: Policy, system: string): boolean {
	return [...entities.values()].some(({ tables }) => tables.get(system)?.api !== undefined);
}

/**
 * A system of a scenario that is an API: the CRM of the tests. Its events wait until the scenario's pump delivers them,
 * so that a scenario is deterministic.
 */
export class ApiSystem {
	/** Whether events stay where they are, whoever pumps. */
	isHeld = false;
	/** The last version before what counts began. */
	#before = 0;

	private constructor(
		readonly system: string,
		readonly crm: RestCrm,
		private readonly database: ScenarioDatabase,
	) {}

	static async open(server: PostgresServer, system: string): Promise<ApiSystem> {
		const database = await ScenarioDatabase.create(server, system);
		const pool = new pg.Pool({ ...database.settings, max: 4 });
		const crm = await RestCrm.start({ pool, switches: { webhooks: { hold: true } } });
		// Nobody listens there: what is delivered is handed to the workflow.
		return new ApiSystem(system, crm, database);
	}

	/** Puts the first records there, before anybody is told of any. @throws ScenarioError what is wrong with one */
	async populate(given: GivenRows): Promise<void> {
		for (const [name, rows] of Object.entries(given)) {
			if (name !== COLLECTION) throw new ScenarioError(`The records of ${this.system} are called "${COLLECTION}", not "${name}"`);
			for (const row of rows) {
				const { id, customer } = this.#read(row);
				await this.crm.records.create(customer, { by: 'a user' }, { id });
			}
		}
	}

	/** What users do at the CRM. @throws ScenarioError why it cannot be done */
	async act(acts: Given<'user'>[string]): Promise<void> {
		const user = this.crm.asUser('a user');
		for (const act of acts) {
			try {
				if ('remove' in act) await user.remove(act.remove);
				else if ('patch' in act) await user.patch(act.patch, act.with);
				else await user.create(act.with, act.create);
			} catch (error) {
				throw new ScenarioError(`${this.system}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
			}
		}
	}

	/** Its events stay with us all the same. */
	turn({ refuse, webhooks, ...rest }: Given<'switch'>[string]): void {
		const hooks = { ...webhooks, hold: true };
		if (refuse == null) return this.crm.turn({ ...rest, webhooks: hooks, refuse });
		const { forMs, ...refusal } = refuse;
		return this.crm.turn({ ...rest, webhooks: hooks, refuse: { ...refusal, untilMs: Date.now() + forMs } });
	}

	/** Events that nobody has been given yet, oldest first. */
	get waiting(): Webhooks['log'] {
		return this.isHeld ? [] : this.crm.webhooks.log.filter(({ delivered }) => delivered === 0);
	}

	/** Everything that happened since the start, as events. */
	get events(): readonly CrmEvent[] {
		return this.crm.webhooks.log.filter(({ delivered }) => delivered > 0).map(({ event }) => event);
	}

	/** Records by their properties; what stands in an object is named by its path. */
	async rows(): Promise<Record<string, Json>[]> {
		const versions = await this.crm.records.list({ after: '', limit: 10_000 });
		return versions.map(({ id, customer }) => ({ id, ...flat(customer!) }));
	}

	/** All versions since the start, oldest first. */
	async news(): Promise<Version[]> {
		return (await this.crm.records.log()).filter(({ seq }) => seq > this.#before);
	}

	/** From here on it counts. */
	async begin(): Promise<void> {
		this.#before = (await this.crm.records.log()).at(-1)?.seq ?? 0;
	}

	/** I3 and I5, by the CRM's own log. */
	async problems(): Promise<string[]> {
		const { overwritten, twice } = await this.crm.verdict();
		return [
			...overwritten.map(({ id, property, version }) => `I3 version ${version} of ${this.system} ${id} overwrote a value of ${property} that the sync had not been shown`),
			...twice.map((request) => `I5 ${this.system} was written twice by ${request}`),
		];
	}

	async drop(): Promise<void> {
		await this.crm.close();
		await this.database.drop();
	}

	#read({ id, ...row }: Readonly<Record<string, Json>>): { id: string; customer: Customer } {
		const parsed = Whole.safeParse(row);
		if (typeof id === 'string' && parsed.success) return { id, customer: whole(parsed.data) };
		const why = parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') ?? 'id: must be a text';
		throw new ScenarioError(`A customer of ${this.system} is wrong: ${why}`);
	}
}

function flat(customer: Customer): Record<string, Json> {
	return Object.fromEntries(
		Object.entries(customer).flatMap(([name, value]): [string, Json][] =>
			value !== null && typeof value === 'object' && !Array.isArray(value)
				? Object.entries(value).map(([part, inner]): [string, Json] => [`${name}.${part}`, inner as Json])
				: [[name, value as Json]],
		),
	);
}
