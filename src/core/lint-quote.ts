/** A name as the statements of a fix write it. */
export function quoteName(name: string): string {
	return `"${name.replaceAll('"', '""')}"`;
}
