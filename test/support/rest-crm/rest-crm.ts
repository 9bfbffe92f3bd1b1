import type { AddressInfo } from 'node:net';

import type { FastifyInstance } from 'fastify';
import type pg from 'pg';

import { openApi } from './api';
import { Patch, Whole, whole } from './customer';
import { Limiter } from './limiter';
import { CLIENT, Records, type Version, type Written } from './records';
import { doneTwice, type Overwritten, overwrittenUnseen, Shown } from './shown';
import { type SwitchChange, Switches, turned } from './switches';
import { type Subscription, Webhooks } from './webhooks';

export interface RestCrmOptions {
	/** Ends with the API. */
	readonly pool: pg.Pool;
	readonly switches?: SwitchChange;
	/** What the client must send as "Authorization: Bearer …"; null: nothing. */
	readonly token?: string | null;
	/** Of the dice that the switches throw; 1 to 2^31 - 2. */
	readonly seed?: number;
	/** 0: a free one. */
	readonly port?: number;
}

/**
 * A small CRM with a REST API, as honest about its faults as real ones are not: each is switched on by itself, the
 * dice have a seed, and what really happened stands in a log that no switch distorts.
 *
 * Fastify, because it does what an API of today does (limits, errors, routes by method) and lets go of the socket
 * where a reply is to be lost.
 */
export class RestCrm {
	readonly records: Records;
	readonly shown = new Shown();
	readonly webhooks: Webhooks;
	readonly limiter = new Limiter();
	readonly token: string | null;
	#switches: Switches;
	#server: FastifyInstance | null = null;

	private constructor({ pool, switches = {}, token = null, seed = 1 }: RestCrmOptions) {
		this.records = new Records(pool);
		this.webhooks = new Webhooks(this.shown, seed);
		this.token = token;
		this.#switches = turned(Switches.parse({}), switches);
	}

	static async start(options: RestCrmOptions): Promise<RestCrm> {
		const crm = new RestCrm(options);
		await crm.records.createTables();
		crm.#server = openApi(crm, options.seed ?? 1);
		await crm.#server.listen({ host: '127.0.0.1', port: options.port ?? 0 });
		return crm;
	}

	/** Without a slash at the end. */
	get url(): string {
		const { port } = this.#server?.server.address() as AddressInfo;
		return `http://127.0.0.1:${port}`;
	}

	get switches(): Switches {
		return this.#switches;
	}

	turn(change: SwitchChange): void {
		this.#switches = turned(this.#switches, change);
	}

	/** Where events go from now on; null: nowhere. */
	subscribe(subscription: Subscription | null): void {
		this.webhooks.subscribe(subscription);
	}

	/** Writes as somebody who sits at the CRM does: no fault strikes them, and the sync is told by an event alone. */
	asUser(name: string) {
		if (name === CLIENT) throw new Error(`"${CLIENT}" is what the client is called`);
		const done = (written: Written): Version => {
			this.announce(written);
			if (written.kind === 'written' || written.kind === 'same') return written.version;
			throw new Error(`the CRM refused what ${name} did: ${written.kind}`);
		};
		const by = { by: name };
		return {
			create: async (customer: Patch, id?: string) =>
				done(await this.records.create(whole(Whole.parse(customer)), by, id === undefined ? {} : { id })),
			patch: async (id: string, patch: Patch) =>
				done(await this.records.patch(id, Patch.parse(patch), by)),
			remove: async (id: string) => done(await this.records.remove(id, by)),
		};
	}

	/** Sends the event of a version that was made. */
	announce(written: Written): void {
		if (written.kind === 'written') {
			this.webhooks.publish(written.version, this.#switches.webhooks);
		}
	}

	/** What the client did that no client may do. */
	async verdict(): Promise<{ readonly overwritten: Overwritten[]; readonly twice: string[] }> {
		const log = await this.records.log();
		return { overwritten: overwrittenUnseen(log, CLIENT), twice: doneTwice(log) };
	}

	async close(): Promise<void> {
		await this.webhooks.close();
		this.#server?.server.closeAllConnections();
		await this.#server?.close();
		await this.records.pool.end();
	}
}
