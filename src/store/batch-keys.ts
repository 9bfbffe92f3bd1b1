import { equalJson } from '../core/canonical-json';
import { existsIn, type Key } from '../core/link';
import { keyText } from './identity-text';
import type { WorkingLink } from './working-link';

/** Which link a row's key leads to, within one batch. */
export class BatchKeys {
	readonly #byKey = new Map<string, WorkingLink>();
	readonly #texts = new WeakMap<Key, { readonly system: string; readonly entity: string; readonly text: string }>();

	/** The link whose row in `system` has this key now, not one that has had it. */
	holder(system: string, entity: string, key: Key): WorkingLink | undefined {
		const link = this.last(system, entity, key);
		return link && equalJson({ ...link.state.keys[system] }, { ...key }) ? link : undefined;
	}

	/** The same, or the last link of this batch that has had the key. */
	last(system: string, entity: string, key: Key): WorkingLink | undefined {
		return this.#byKey.get(this.#text(system, entity, key));
	}

	/**
	 * The row that is there now has the key, whoever had it before; one that is gone keeps it until another comes.
	 *
	 * @param leaving - links whose keys will be others' when the transaction is over
	 */
	lead(link: WorkingLink, system: string, leaving: ReadonlySet<WorkingLink>): void {
		const { entity, keys } = link.state;
		const key = keys[system];
		if (key === undefined) return;
		const other = this.holder(system, entity, key);
		const isTaken = other !== undefined && existsIn(other.state, system) && !leaving.has(other);
		if (existsIn(link.state, system) || !isTaken) this.#byKey.set(this.#text(system, entity, key), link);
	}

	/** Asked several times for each change, mostly with the same object. */
	#text(system: string, entity: string, key: Key): string {
		const known = this.#texts.get(key);
		if (known?.system === system && known.entity === entity) return known.text;
		const text = keyText({ system, entity, key });
		this.#texts.set(key, { system, entity, text });
		return text;
	}
}
