export interface LineChange {
	readonly kind: 'same' | 'gone' | 'new';
	readonly text: string;
}

/** Lines of context around what has changed. */
const CONTEXT = 3;
const CUT = '…';
/** Longer texts are shown as wholly replaced: comparing each line with each takes their product. */
const MAX_PRODUCT = 4_000_000;

/** What is gone, new, and stands around it, by a longest common subsequence of lines (Hunt and Szymanski 1977 name the problem). Pure. */
export function changedLines(before: readonly string[], after: readonly string[]): LineChange[] {
	const start = commonStart(before, after);
	const end = Math.min(commonStart([...before].reverse(), [...after].reverse()), before.length - start, after.length - start);
	const [a, b] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
	const middle = a.length * b.length > MAX_PRODUCT ? [...lines('gone', a), ...lines('new', b)] : walked(a, b);
	return shortened([...lines('same', before.slice(0, start)), ...middle, ...lines('same', before.slice(before.length - end))]);
}

const lines = (kind: LineChange['kind'], texts: readonly string[]): LineChange[] => texts.map((text) => ({ kind, text }));

function commonStart(a: readonly string[], b: readonly string[]): number {
	let count = 0;
	while (count < a.length && count < b.length && a[count] === b[count]) count += 1;
	return count;
}

function walked(a: readonly string[], b: readonly string[]): LineChange[] {
	const common = lengths(a, b);
	const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
	const changes: LineChange[] = [];
	let [i, j] = [0, 0];
	while (i < a.length || j < b.length) {
		if (i < a.length && j < b.length && a[i] === b[j]) {
			changes.push({ kind: 'same', text: a[i] ?? '' });
			i += 1;
			j += 1;
		} else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
			changes.push({ kind: 'gone', text: a[i] ?? '' });
			i += 1;
		} else {
			changes.push({ kind: 'new', text: b[j] ?? '' });
			j += 1;
		}
	}
	return changes;
}

/** `[i][j]`: how many lines the rests from `i` and `j` on have in common. */
function lengths(a: readonly string[], b: readonly string[]): number[][] {
	const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
	for (let i = a.length - 1; i >= 0; i -= 1) {
		for (let j = b.length - 1; j >= 0; j -= 1) {
			const [row, below] = [table[i] ?? [], table[i + 1] ?? []];
			row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
		}
	}
	return table;
}

/** Long stretches of what is the same are left out. */
function shortened(all: readonly LineChange[]): LineChange[] {
	const isNear = all.map((_, at) => all.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ kind }) => kind !== 'same'));
	return all.flatMap((line, at) => {
		if (isNear[at]) return [line];
		return isNear[at - 1] === true ? [{ kind: 'same' as const, text: CUT }] : [];
	});
}
