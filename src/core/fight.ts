import { equalJson } from './canonical-json';
import type { FieldState, MergedVersion, Turns, View } from './link';

/** Two triggers that answer each other would go on for ever; one that only normalises needs a single turn. */
const MAX_REWRITES = 3;

/**
 * What two programs do, and people do not: set the same value again that another one has just
 * replaced (six times, each within half a minute of the last), or answer within two seconds, time
 * and again, be it with another value each time.
 */
const INSISTING = { withinMs: 30_000, weight: 5 };
const ANSWERING = { withinMs: 2_000, weight: 1 };
const MAX_WEIGHT = 30;

/**
 * The run of turns once `system` has replaced the value that another one gave it. What a trigger made
 * of our write is no turn; a second change of the same system neither counts nor ends the run.
 *
 * @returns undefined when the change answers nobody
 */
export function withTurn(
	{ turns }: FieldState,
	system: string,
	{ view, merged }: { view: View; merged: MergedVersion },
): Turns | undefined {
	if (view.residual || system === merged.from) return turns;
	const answers = view.base !== undefined && equalJson(view.base, merged.canon);
	if (!answers || view.atMs === undefined) return undefined;
	const own = turns?.last[system];
	const last = { ...turns?.last, [system]: { canon: view.canon, atMs: view.atMs } };
	if (own === undefined) return { weight: turns?.weight ?? 0, last };
	const kind = equalJson(own.canon, view.canon) ? INSISTING : ANSWERING;
	if (Math.abs(view.atMs - own.atMs) > kind.withinMs) return undefined;
	return { weight: (turns?.weight ?? 0) + kind.weight, last };
}

/** Whether going on would only make the systems answer each other again. */
export function isFight({ rewrites = 0 }: MergedVersion, turns: Turns | undefined): boolean {
	return rewrites > MAX_REWRITES || (turns?.weight ?? 0) >= MAX_WEIGHT;
}

export function fightReason(name: string, system: string, other: string): string {
	return `${system} and ${other} are fighting: each changes what the sync writes to ${name}`;
}
