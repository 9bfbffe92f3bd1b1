/**
 * The end of a message about an unknown name: `; did you mean "email"?` when one known name is
 * close (two letters of five may differ, swapped neighbours count once), else ''.
 */
export function didYouMean(name: string, known: Iterable<string>): string {
	let best: { candidate: string; distance: number } | undefined;
	for (const candidate of known) {
		const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
		if (!best || distance < best.distance) best = { candidate, distance };
	}
	const limit = Math.max(1, Math.floor((best?.candidate.length ?? 0) * 0.4));
	return best && best.distance <= limit ? `; did you mean "${best.candidate}"?` : '';
}

/** `a, b or c`. */
export function listOf(names: readonly string[], word: 'or' | 'and'): string {
	if (names.length < 2) return names.join('');
	return `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`;
}

/** Letters to insert, delete, replace or swap with their neighbour to get from `a` to `b`. */
function editDistance(a: string, b: string): number {
	if (Math.abs(a.length - b.length) > b.length) return Infinity; // A pasted page is nobody's typo.
	const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
	for (let i = 1; i <= a.length; i++) {
		const row = [i];
		for (let j = 1; j <= b.length; j++) {
			const isSame = a[i - 1] === b[j - 1];
			const replaced = cell(rows, i - 1, j - 1) + (isSame ? 0 : 1);
			const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
			const swapped = isSwap ? cell(rows, i - 2, j - 2) + 1 : Infinity;
			row.push(Math.min(replaced, swapped, cell(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1));
		}
		rows.push(row);
	}
	return cell(rows, a.length, b.length);
}

function cell(rows: readonly number[][], i: number, j: number): number {
	return rows[i]?.[j] ?? Infinity;
}
