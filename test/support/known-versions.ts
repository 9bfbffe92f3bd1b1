import type { LinkState } from '../../src/core/link';
import { compare } from '../../src/core/version-vector';

/** I8: what a link knows never becomes less. */
export function knowledgeLost(before: LinkState | null, after: LinkState): string | null {
	for (const [name, field] of Object.entries(before?.fields ?? {})) {
		const now = after.fields[name];
		if (field.merged && (!now?.merged || isLess(now.merged.vector, field.merged.vector))) {
			return `I8 the merged version of ${name} went back`;
		}
		for (const [system, view] of Object.entries(field.views)) {
			const then = now?.views[system];
			if (!then || isLess(then.vector, view.vector)) return `I8 the view of ${name} in ${system} went back`;
		}
	}
	return null;
}

const isLess = (a: Parameters<typeof compare>[0], b: Parameters<typeof compare>[0]): boolean => {
	const ordering = compare(a, b);
	return ordering === 'before' || ordering === 'concurrent';
};
