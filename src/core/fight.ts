import { equalJson } from './canonical-json';
import type { FieldState, MergedVersion, Turns, View } from './link';

/** Two triggers that answer each other would go on for ever; one that only normalises needs a single turn. */
const MAX_REWRITES = 3;
/** Nobody answers so often so fast: it is two programs, each of which sets right what the other did. */
const MAX_TURNS = 6;
const TURN_MS = 30_000;

/**
 * The run of turns once `system` has replaced the value that another one gave it. A turn counts
 * when the system changes on the spot what the sync has just written to it; the first one may be
 * anybody's, from then on each must follow the system's own last one within half a minute.
 *
 * @returns undefined when the change answers nobody
 */
export function withTurn(
	{ turns }: FieldState,
	system: string,
	{ view, merged }: { view: View; merged: MergedVersion },
): Turns | undefined {
	const answers = system !== merged.from && view.base !== undefined && equalJson(view.base, merged.canon);
	if (!answers || view.atMs === undefined) return undefined;
	const last = turns?.atMs[system];
	const goesOn = turns !== undefined && (last === undefined || view.atMs - last <= TURN_MS);
	const atMs = { ...(goesOn ? turns.atMs : {}), [system]: view.atMs };
	return { count: goesOn ? turns.count + 1 : 1, atMs };
}

/** Whether going on would only make the systems answer each other again. */
export function isFight({ rewrites = 0 }: MergedVersion, turns: Turns | undefined): boolean {
	return rewrites > MAX_REWRITES || (turns?.count ?? 0) > MAX_TURNS;
}

export function fightReason(name: string, system: string, other: string): string {
	return `${system} and ${other} are fighting: each changes what the sync writes to ${name}`;
}
