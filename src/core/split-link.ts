import { sha256Hex, canonicalJson } from './canonical-json';
import { freeze, type Draft } from './draft';
import { SyncError } from './errors';
import { unrelated } from './foreign-view';
import { emptyLink, EXISTENCE, existsIn, fieldOf, type LinkState } from './link';

/**
 * A person has said that a link holds rows of two records. One system's row leaves and gets a link of its own; both links are then
 * as if their rows had just been observed for the first time, and hold their existence still: whether each record shall be
 * made where it is not is the next question, and not one that the sync may answer.
 */

const LEFT_OVER = 'A person has parted this record from another one: shall it be made in the systems that lack it?';

/** @throws SyncError INVALID_RESOLUTION where there is nothing to part, or a write is under way */
export function checkPartable(state: LinkState, system: string): void {
	const rows = Object.keys(state.keys).filter((name) => existsIn(state, name));
	if (!rows.includes(system)) throw cannot(`${system} has no row of this record`);
	if (rows.length < 2) throw cannot(`it has no row but that of ${system}`);
	if (Object.keys(state.inFlight).length > 0) throw cannot('a write of it is under way; try again when it has ended');
	if (Object.keys(state.surplus ?? {}).length > 0) throw cannot('a second row of it is about to be removed; try again when it is gone');
}

/** The id of the link that the row gets: no observation can make the same one. */
export function partedId({ id, seen, reviewCount }: LinkState, system: string): string {
	return sha256Hex(canonicalJson(['parted', id, system, seen[system] ?? null, reviewCount])).slice(0, 32);
}

/** What goes on without the row of `system`, which is link `into` from now on. */
export function giveRow(draft: Draft, { system, into }: { system: string; into: string }): void {
	const { state } = draft;
	const { [system]: _key, ...keys } = state.keys;
	state.keys = keys;
	if (state.dates) state.dates = without(state.dates, system);
	if (state.api) state.api = without(state.api, system);
	state.apart = [...new Set([...(state.apart ?? []), into])].sort();
	for (const name of Object.keys(state.fields)) {
		const field = fieldOf(state, name);
		const views = Object.entries(without(field.views, system)).map(([other, view]) => [other, unrelated(view, other)] as const);
		state.fields[name] = { ...field, merged: null, frozen: null, views: Object.fromEntries(views) };
	}
	freeze(draft, [EXISTENCE], { kind: 'identity', reason: LEFT_OVER });
}

/** The new link of the row. The draft is one of which nothing has been observed. */
export function beginWithRow(draft: Draft, { from, system }: { from: LinkState; system: string }): void {
	const { state } = draft;
	const key = from.keys[system];
	if (key) state.keys[system] = key;
	const seen = from.seen[system];
	if (seen !== undefined) state.seen[system] = seen;
	const date = from.dates?.[system];
	if (date) state.dates = { [system]: date };
	const { attempt: _request, ...told } = from.api?.[system] ?? {};
	if (Object.keys(told).length > 0) state.api = { [system]: told };
	state.apart = [from.id];
	for (const [name, { views }] of Object.entries(from.fields)) {
		const view = views[system];
		if (view) fieldOf(state, name).views[system] = unrelated(view, system);
	}
	freeze(draft, [EXISTENCE], { kind: 'identity', reason: LEFT_OVER });
}

/** The state from which {@link beginWithRow} starts. */
export function partedLink(from: LinkState, system: string): LinkState {
	return emptyLink(partedId(from, system), from.entity, from.generation);
}

function without<T>(of: Readonly<Record<string, T>>, system: string): Record<string, T> {
	const { [system]: _gone, ...others } = of;
	return others;
}

function cannot(why: string): SyncError {
	return new SyncError('CANNOT_PART', `The row cannot be taken out of its link: ${why}`);
}
