import type { Draft } from './draft';
import { unrelated } from './foreign-view';
import { emptyLink, EXISTENCE, fieldOf, type LinkState } from './link';
import { join, NOTHING_SEEN } from './version-vector';

/**
 * Takes a record that had a link of its own into this one: as if its row had been observed for the first time
 * just now, and matched. What the other link knew beside its row is left behind: nobody else had anything of it.
 */
export function takeIn(draft: Draft, absorbed: LinkState): void {
	const { state } = draft;
	if (state.apart) state.apart = state.apart.filter((link) => link !== absorbed.id);
	for (const [system, key] of Object.entries(absorbed.keys)) {
		state.keys[system] = key;
		const seen = absorbed.seen[system];
		if (seen !== undefined) state.seen[system] = [seen, state.seen[system] ?? seen].sort().at(-1) ?? seen;
		const date = absorbed.dates?.[system];
		if (date) state.dates = { ...state.dates, [system]: date };
		const { attempt: _request, ...told } = absorbed.api?.[system] ?? {};
		if (Object.keys(told).length > 0) state.api = { ...state.api, [system]: told };
		for (const [name, { views }] of Object.entries(absorbed.fields)) {
			const view = views[system];
			if (!view) continue;
			const mine = fieldOf(state, name).views;
			// A person may have said that this system goes without the record: its row comes after that.
			const before = mine[system]?.vector ?? NOTHING_SEEN;
			const row = unrelated(view, system);
			mine[system] = { ...row, vector: join(row.vector, before) };
		}
	}
}

/** What is left of a link whose record is another one's: no row, no values, and numbers that no old operation can pass for new. */
export function giveAway({ id, entity, generation, seen, numbers, reviewCount, dates }: LinkState, into: string): LinkState {
	const gone = { merged: { canon: false, vector: {}, from: 'human' }, views: {}, frozen: null };
	return { ...emptyLink(id, entity, generation), ...(dates ? { dates: {} } : {}), seen: { ...seen }, numbers: { ...numbers }, reviewCount, into, fields: { [EXISTENCE]: gone } };
}

/** A person has said that the record and the one it was compared with are two. */
export function keepApart(draft: Draft, twin: string): void {
	draft.state.apart = [...new Set([...(draft.state.apart ?? []), twin])].sort();
}

