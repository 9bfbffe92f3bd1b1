import { EXISTENCE, type LinkState } from '../../src/core/link';
import { compare, counterOf } from '../../src/core/version-vector';

/** I8: what a link knows of a row never becomes less; a row that was made anew is another one. */
export function knowledgeLost(before: LinkState | null, after: LinkState): string | null {
	for (const [name, field] of Object.entries(before?.fields ?? {})) {
		const now = after.fields[name];
		if (field.merged && (!now?.merged || isLess(now.merged.vector, field.merged.vector))) {
			return `I8 the merged version of ${name} went back`;
		}
		for (const [system, view] of Object.entries(field.views)) {
			const then = now?.views[system];
			if (name !== EXISTENCE && madeAnew(before, after, system)) continue;
			if (!then || isLess(then.vector, view.vector)) return `I8 the view of ${name} in ${system} went back`;
		}
	}
	return null;
}

function madeAnew(before: LinkState | null, after: LinkState, system: string): boolean {
	const [then, now] = [before, after].map((state) => state?.fields[EXISTENCE]?.views[system]?.vector ?? {});
	return counterOf(now ?? {}, system) > counterOf(then ?? {}, system);
}

const isLess = (a: Parameters<typeof compare>[0], b: Parameters<typeof compare>[0]): boolean => {
	const ordering = compare(a, b);
	return ordering === 'before' || ordering === 'concurrent';
};
