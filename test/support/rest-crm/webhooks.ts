import { createHmac } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

import { type Random, seededRandom } from '../seeded-random';
import type { Version } from './records';
import type { Shown } from './shown';
import type { Switches } from './switches';

/** What the subscriber gets, as JSON. */
export interface CrmEvent {
	/** The same for every delivery of it. */
	readonly id: string;
	readonly type: 'customer.created' | 'customer.updated' | 'customer.deleted';
	readonly record: { readonly id: string; readonly [property: string]: unknown };
	/** Absent where versions are switched off. */
	readonly version?: number;
	readonly updated_at?: string;
}

export interface Subscription {
	readonly url: string;
	/** HMAC-SHA256 over `timestamp.body`, as "X-Crm-Signature: t=…,v1=…". */
	readonly secret: string;
}

interface Delivery {
	readonly event: CrmEvent;
	readonly version: Version;
	readonly names: readonly string[];
	delivered: number;
}

/** Between two attempts at the most. */
const MAX_BACK_OFF_MS = 2_000;
const FIRST_BACK_OFF_MS = 50;

/** Sends events until they are taken: late, twice and out of order where that is switched on. */
export class Webhooks {
	readonly #log: Delivery[] = [];
	readonly #running = new Set<Promise<void>>();
	readonly #stop = new AbortController();
	readonly #random: Random;
	#subscription: Subscription | null = null;

	constructor(
		private readonly shown: Shown,
		seed: number,
	) {
		this.#random = seededRandom(seed);
	}

	subscribe(subscription: Subscription | null): void {
		this.#subscription = subscription;
	}

	/** Every event so far, oldest first, and how often it was taken. */
	get log(): readonly Readonly<Delivery>[] {
		return this.#log;
	}

	/** Whether nothing is on its way. */
	get isIdle(): boolean {
		return this.#running.size === 0;
	}

	publish(version: Version, switches: Switches['webhooks']): void {
		const delivery = deliveryOf(version, switches);
		this.#log.push(delivery);
		if (switches.hold) return;
		const times = this.#happens(switches.duplicate) ? 2 : 1;
		for (let n = 0; n < times; n++) {
			const late = this.#happens(switches.delay) ? this.#random.below(switches.delayMs + 1) : 0;
			this.#run(this.#send(delivery, late));
		}
	}

	/** Delivers events of the log now, one after the other, whether or not they were before. */
	async deliver(events: readonly Readonly<Delivery>[]): Promise<void> {
		for (const event of events) await this.#send(event as Delivery, 0);
	}

	/** Notes that an event was handed over by somebody else. */
	handedOver(delivery: Readonly<Delivery>): void {
		this.shown.note(delivery.version, delivery.names);
		(delivery as Delivery).delivered += 1;
	}

	/** Ends all deliveries, also those that wait for a second attempt. */
	async close(): Promise<void> {
		this.#stop.abort();
		await Promise.all(this.#running);
	}

	#run(sending: Promise<void>): void {
		const running = sending.finally(() => this.#running.delete(running));
		this.#running.add(running);
	}

	#happens(chance: number): boolean {
		return this.#random.below(1_000_000) < chance * 1_000_000;
	}

	async #send(delivery: Delivery, lateMs: number): Promise<void> {
		const { signal } = this.#stop;
		let delay = lateMs;
		for (let backOff = FIRST_BACK_OFF_MS; !signal.aborted; backOff = Math.min(MAX_BACK_OFF_MS, backOff * 2)) {
			await wait(delay, undefined, { signal }).catch(() => undefined);
			if (signal.aborted || this.#subscription === null) return;
			if (await this.#post(delivery, this.#subscription)) {
				delivery.delivered += 1;
				return;
			}
			delay = backOff;
		}
	}

	async #post(delivery: Delivery, { url, secret }: Subscription): Promise<boolean> {
		const body = JSON.stringify(delivery.event);
		// Noted before it is sent: whoever answers it may have read it before the reply is here.
		this.shown.note(delivery.version, delivery.names);
		const headers = {
			'content-type': 'application/json',
			'x-crm-event': delivery.event.id,
			'x-crm-signature': signatureOf(body, secret, Math.floor(Date.now() / 1_000)),
		};
		const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(10_000)]);
		const reply = await fetch(url, { method: 'POST', headers, body, signal }).catch(() => null);
		await reply?.arrayBuffer().catch(() => null);
		return reply?.ok === true;
	}
}

/** @param timestamp - seconds since 1970 */
export function signatureOf(body: string, secret: string, timestamp: number): string {
	const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
	return `t=${timestamp},v1=${mac}`;
}

function deliveryOf(version: Version, { body, versioned }: Switches['webhooks']): Delivery {
	const { id, seq, customer, changed } = version;
	const names = customer === null || body === 'id' ? [] : body === 'full' ? Object.keys(customer) : changed;
	const values = Object.entries(customer ?? {}).filter(([name]) => names.includes(name));
	const what = customer === null ? 'deleted' : version.version === 1 ? 'created' : 'updated';
	return {
		event: {
			id: `evt_${seq}`,
			type: `customer.${what}`,
			record: { id, ...Object.fromEntries(values) },
			...(versioned ? { version: version.version, updated_at: version.at } : {}),
		},
		version,
		names,
		delivered: 0,
	};
}
