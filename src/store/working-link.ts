import type { LinkState } from '../core/link';
import type { LoadedLink } from './sync-store';

/** A link as a batch sees it: what was loaded, and what the batch has made of it since. */
export interface WorkingLink {
	state: LinkState;
	readonly loaded: LoadedLink | null;
	/** Match keys that it takes, and that it gives up, in this batch. */
	readonly claims: Set<string>;
	readonly releases: Set<string>;
}

export function workingLink(state: LinkState, loaded: LoadedLink | null): WorkingLink {
	return { state, loaded, claims: new Set(), releases: new Set() };
}
