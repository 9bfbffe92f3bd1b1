/** Something borrowed from a cache; `release` gives it back and may be called twice. */
export interface Borrowed<T> {
	readonly value: T;
	release(): void;
}

interface Entry<T> {
	readonly opening: Promise<T>;
	users: number;
	closing: NodeJS.Timeout | null;
}

export interface ResourceCacheOptions<T> {
	close(value: T): Promise<void>;
	/** How long something that nobody uses stays open. */
	readonly idleMs: number;
}

/**
 * Things that are costly to open (pools of connections), shared by all executions of this process
 * that want the same one, and closed some time after the last one is done with it.
 */
export class ResourceCache<T> {
	readonly #entries = new Map<string, Entry<T>>();
	readonly #options: ResourceCacheOptions<T>;

	constructor(options: ResourceCacheOptions<T>) {
		this.#options = options;
	}

	/** @throws whatever `open` throws; the next caller then tries again */
	async borrow(key: string, open: () => Promise<T>): Promise<Borrowed<T>> {
		const entry = this.#entries.get(key) ?? this.#start(key, open());
		this.#stay(entry);
		entry.users += 1;
		return this.#lend(key, entry, await entry.opening);
	}

	/** Puts in place what `borrow` will find under `key`, until `release`: for those who bring their own. */
	provide(key: string, value: T): () => void {
		const entry = this.#start(key, Promise.resolve(value));
		entry.users += 1; // So that it is never closed from here.
		return () => this.#forget(key, entry);
	}

	#start(key: string, opening: Promise<T>): Entry<T> {
		const entry: Entry<T> = { opening, users: 0, closing: null };
		this.#entries.set(key, entry);
		opening.catch(() => this.#forget(key, entry)); // The next caller tries again.
		return entry;
	}

	#forget(key: string, entry: Entry<T>): void {
		if (this.#entries.get(key) === entry) this.#entries.delete(key);
	}

	#stay(entry: Entry<T>): void {
		if (entry.closing) clearTimeout(entry.closing);
		entry.closing = null;
	}

	#lend(key: string, entry: Entry<T>, value: T): Borrowed<T> {
		let isOut = true;
		const release = (): void => {
			if (!isOut) return;
			isOut = false;
			entry.users -= 1;
			if (entry.users === 0) this.#closeLater(key, entry, value);
		};
		return { value, release };
	}

	#closeLater(key: string, entry: Entry<T>, value: T): void {
		entry.closing = setTimeout(() => {
			this.#forget(key, entry);
			// Nobody is left to tell of a connection that will not close.
			this.#options.close(value).catch(() => undefined);
		}, this.#options.idleMs);
		entry.closing.unref();
	}
}
