import { waitUntil } from '../support/wait-until';
import { Inspector } from './checks';
import type { Arm, Order, Word } from './messages';
import { agreeToGap, approveFirstContact, publishPolicy } from './operator';
import { settle } from './settle';
import { Standby, type Worker } from './standby';
import type { StoreKind } from './store-place';
import { SERVERS, type ServerName, SYSTEMS } from './systems';
import { Users } from './users';
import { startWorld, type World } from './world';
import type { Random } from '../support/seeded-random';

export interface CampaignOptions {
	readonly random: Random;
	/** Rows of the large table. */
	readonly items: number;
	readonly storeKind: StoreKind;
	readonly closeLater: (close: () => Promise<void>) => void;
}

/** How long a worker may take to reach the point where it is to die. */
const REACH_MS = 30_000;

/** The world, the people in it, the worker that runs at the moment, and what was found out. */
export class Campaign {
	/** What is wrong with the product, in words. */
	readonly problems: string[] = [];
	readonly users: Users;
	readonly inspector: Inspector;
	/** Processes and servers that were killed with SIGKILL. */
	readonly kills = { workers: 0, servers: 0 };
	/** What workers said that may explain a problem. */
	readonly said: string[] = [];
	/** Whether a trigger may halt now because changes may be missing. */
	expectsGap = false;
	gaps = 0;
	#worker: Worker | null = null;
	/** Whether nothing has been done since everything was found to be at rest. */
	#isAtRest = false;

	private constructor(
		readonly world: World,
		readonly random: Random,
		private readonly standby: Standby,
	) {
		this.users = new Users(world, random.fork());
		this.inspector = new Inspector(world);
	}

	/** Starts everything, and takes it through first contact. */
	static async start({ random, items, storeKind, closeLater }: CampaignOptions): Promise<Campaign> {
		const standby = new Standby(2);
		closeLater(async () => await standby.close());
		const world = await startWorld({ items, storeKind }, closeLater);
		const campaign = new Campaign(world, random, standby);
		closeLater(async () => await campaign.users.stop());
		await publishPolicy(world);
		for (const system of SYSTEMS) await campaign.inspector.witness.watch(system);
		try {
			await campaign.dieWhileReading();
			await campaign.work(null);
			await approveFirstContact(world);
			await campaign.rest();
		} catch (error) {
			throw new Error(`First contact failed. The worker said:\n${campaign.said.join('\n')}`, { cause: error });
		}
		return campaign;
	}

	get worker(): Worker | null {
		return this.#worker?.isAlive ? this.#worker : null;
	}

	letUsersWork(): void {
		this.#isAtRest = false;
		this.users.start();
	}

	/** Another worker in the place of the one that ran, if one did. */
	async work(arm: Arm | null, answer?: Order['answer']): Promise<Worker> {
		this.#isAtRest = false;
		const worker = await this.standby.take();
		worker.start(this.order(arm, answer), (word) => this.#hear(word));
		if (!answer) this.#worker = worker;
		return worker;
	}

	order(arm: Arm | null, answer?: Order['answer']): Order {
		const databases = Object.fromEntries(
			SYSTEMS.map((name) => [name, this.world[name].workerSettings]),
		) as Order['databases'];
		return { databases, store: this.world.store.workerCredential, arm, ...(answer ? { answer } : {}) };
	}

	async kill(worker: Worker | null = this.worker): Promise<void> {
		if (!worker?.isAlive) return;
		this.kills.workers += 1;
		await worker.kill();
	}

	/** Waits until an armed worker has killed itself; kills it when that takes too long. @returns whether it got there */
	async untilReached(worker: Worker): Promise<boolean> {
		const deadline = performance.now() + REACH_MS;
		await waitUntil(
			'the crash',
			() => !worker.isAlive || worker.reached !== null || performance.now() > deadline,
			{ timeoutMs: REACH_MS * 2, everyMs: 10 },
		);
		const { reached } = worker;
		await this.kill(worker.isAlive && reached === null ? worker : null);
		return reached !== null;
	}

	/** A worker that dies as soon as it has read some of the rows that are there. @returns whether it got there */
	async dieWhileReading(): Promise<boolean> {
		const worker = await this.work({ point: 'reading', nth: 1, how: 'die' });
		const reached = await this.untilReached(worker);
		if (reached) this.kills.workers += 1;
		await worker.ended;
		return reached;
	}

	/** A power cut: committed transactions are there again when the server is back. */
	async crashServer(name: ServerName): Promise<void> {
		this.kills.servers += 1;
		if (name === 'store') return await this.world.store.crash();
		const { server } = this.world[name];
		await server.kill();
		await server.restart();
	}

	healNetwork(): void {
		for (const name of SERVERS) {
			this.world[name].relay.delayBy(0);
			this.world[name].relay.cut();
		}
	}

	/** Stops the load, waits until nothing is left to do, and checks everything. */
	async rest(): Promise<void> {
		if (this.#isAtRest) return;
		await this.users.stop();
		this.healNetwork();
		if (!this.worker) await this.work(null);
		await settle(this.world, () => this.assertFine());
		this.expectsGap = false;
		this.problems.push(...(await this.inspector.inspectAtRest()));
		this.assertFine();
		// Again, with nothing between but the two changes that mark the end.
		await settle(this.world, () => this.assertFine());
		this.problems.push(...(await this.inspector.inspectQuiet(SYSTEMS.length)));
		this.assertFine();
		this.#isAtRest = true;
	}

	/** @throws Error when something was found to be wrong */
	assertFine(): void {
		const [first] = this.problems;
		if (first !== undefined) throw new Error(`${this.problems.length} problems, the first one: ${first}`);
	}

	#hear(word: Word): void {
		if (word.kind === 'log') this.#note(word.text);
		if (word.kind === 'failed') {
			this.#note(`${word.system}: ${word.message}`);
			void this.#mend(word.message).catch((error: unknown) => this.problems.push(String(error)));
		}
	}

	async #mend(message: string): Promise<void> {
		if (!message.includes('gap-')) return; // It is started again, as n8n does.
		if (!this.expectsGap) this.problems.push(`changes are said to be missing, and none are: ${message}`);
		else if (await agreeToGap(this.world, message)) this.gaps += 1;
	}

	#note(text: string): void {
		this.said.push(text);
		if (this.said.length > 500) this.said.shift();
	}
}
