import { decide } from '../../src/core/decide';
import { STREAM_START } from '../../src/core/position';
import { lookAtColumns, scopesWithoutColumns } from '../../nodes/PostgresCdcTrigger/gone-columns';
import { scopesOf } from '../../src/core/table-drift';
import { parseScope, scopeText, unreadScopes } from '../../src/core/scopes';
import { policyTables } from '../../src/postgres/event-tables';
import { loadReferred } from '../../src/store/load-referred';
import { policyInForce } from '../../src/store/published-policy';
import type { Loaded, LoadedLink, SyncStore } from '../../src/store/sync-store';
import type { Rehearsal } from './rehearsal';

const PAGE = 500;

/** All links of a policy. */
export async function allLinks(store: SyncStore, policy: string): Promise<LoadedLink[]> {
	const links: LoadedLink[] = [];
	for (;;) {
		const afterId = links.at(-1)?.state.id;
		const page = await store.scanLinks({ policy, limit: PAGE, ...(afterId === undefined ? {} : { afterId }) });
		links.push(...page);
		if (page.length < PAGE) return links;
	}
}

/** Why the sync is not idle, as far as these systems are read; null when it is. */
export async function whyBusy(rehearsal: Rehearsal, all: readonly string[]): Promise<string | null> {
	const { home, policyName, witnesses, livingProcess, databases } = rehearsal;
	const systems = all.filter((system) => databases.has(system));
	const running = livingProcess?.executions.size ?? 0;
	if (running > 0) return `${running} executions are running`;
	await Promise.all([...witnesses.values()].map(async (witness) => await witness.catchUp()));
	const loaded = await home.observer.load({ policy: policyName });
	const withoutColumns = await scopesWithoutColumns(home.observer, rehearsal.version.policy);
	for (const system of systems) {
		const unread = whyUnread(rehearsal, loaded, { system, withoutColumns });
		if (unread) return unread;
	}
	const due = await whatIsDue(rehearsal, loaded, systems);
	if (due) return due;
	for (const system of systems) {
		if (await haveColumnsChanged(rehearsal, { system, withoutColumns })) return `that columns of ${system} have gone or come back has not been noticed`;
	}
	return (livingProcess?.executions.size ?? 0) > 0 ? 'an execution has started meanwhile' : null;
}

async function whatIsDue(rehearsal: Rehearsal, loaded: Loaded, systems: readonly string[]): Promise<string | null> {
	const { home, policyName } = rehearsal;
	if (loaded.policy?.mode !== 'live' && loaded.policy?.mode !== 'shadow') return null;
	const links = await allLinks(home.observer, policyName);
	const hasPassed = ({ state }: LoadedLink): boolean => systems.some((system) => (state.dates?.[system]?.atMs ?? Infinity) <= Date.now());
	if (links.some(hasPassed)) return 'a date that has passed has not been heard of';
	const due = links.filter((link) => link.due && !waitsForUnread(link, { rehearsal, systems }));
	const [waiting] = await notForOthers(home.observer, loaded, due);
	return waiting ? describeDue(waiting) : null;
}

interface ReadSystem {
	readonly system: string;
	/** Scopes of all systems that are known to wait for their columns. */
	readonly withoutColumns: ReadonlySet<string>;
}

/** The trigger looks from time to time. */
async function haveColumnsChanged({ databases, version }: Rehearsal, { system, withoutColumns }: ReadSystem): Promise<boolean> {
	const database = databases.get(system);
	if (!database) return false;
	const { policy } = version;
	const look = await lookAtColumns(database.settings, { policy, system, tables: policyTables(policy, system) });
	const gone = scopesOf(look.gone);
	const noticed = [...withoutColumns].filter((scope) => parseScope(scope).system === system).sort();
	return gone.join(' ') !== noticed.join(' ');
}

function whyUnread({ witnesses, version }: Rehearsal, { streams }: Loaded, { system, withoutColumns }: ReadSystem): string | null {
	const stream = streams[system];
	if (!stream || stream.snapshot === 'running') return `the rows of ${system} have not been read yet`;
	const [first] = unreadScopes(version.policy, system, stream.filterHash).filter((scope) => !withoutColumns.has(scopeText(scope)));
	if (first) return `the rows of ${first.entity} in ${system} have not been read again since the policy was changed`;
	const last = witnesses.get(system)?.lastPosition ?? STREAM_START;
	return stream.position < last ? `changes of ${system} up to ${last} have not been observed, only those up to ${stream.position}` : null;
}

/** Everything has been tried that can be: what became of it stands in a stream that nobody reads now. */
function waitsForUnread({ state }: LoadedLink, { rehearsal, systems }: { rehearsal: Rehearsal; systems: readonly string[] }): boolean {
	const ops = Object.values(state.inFlight);
	if (ops.length === 0) return false;
	return ops.every(({ id, system }) => {
		const isRead = systems.includes(system);
		const seen = rehearsal.witnesses.get(system)?.transactions ?? [];
		return !isRead && seen.some(({ markers }) => markers.some(({ op }) => op === id));
	});
}

/** Without those that wait for a record that is not there, and for nothing else: what they wait for is for others to do. */
async function notForOthers(store: SyncStore, { policy: published }: Loaded, links: readonly LoadedLink[]): Promise<LoadedLink[]> {
	if (published?.mode !== 'live') return [...links];
	const policy = policyInForce(published);
	const known = await loadReferred(store, links, policy);
	return links.filter(({ state }) => {
		const { changed, ops, waits } = decide(state, policy, 'live', known.get(state.id));
		return changed || ops.length > 0 || waits.length === 0;
	});
}

function describeDue({ state, due }: LoadedLink): string {
	const ops = Object.values(state.inFlight).map(({ system, kind }) => `an ${kind} of ${system} is in flight`);
	const keys = Object.entries(state.keys).map(([system, key]) => `${system} ${Object.values(key).join(',')}`);
	return `the record ${keys.join(' = ')} waits (${ops.join(', ') || (due ? 'nobody has decided about it' : '')})`;
}
