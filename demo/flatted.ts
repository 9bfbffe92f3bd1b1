/**
 * Reads the form in which n8n stores the data of an execution: a JSON list in which every value
 * inside an object or list is the place of another entry, written as text, so that shared and
 * circular parts fit into JSON.
 */
export function parseFlatted(text: string): unknown {
	const entries = JSON.parse(text) as readonly unknown[];
	const built = new Map<number, unknown>();
	const build = (index: number): unknown => {
		if (built.has(index)) return built.get(index);
		const entry = entries[index];
		if (typeof entry !== 'object' || entry === null) return entry;
		const result: unknown[] | Record<string, unknown> = Array.isArray(entry) ? [] : {};
		// Remembered before its parts are built: a part may lead back to it.
		built.set(index, result);
		for (const [key, value] of Object.entries(entry)) {
			const part = typeof value === 'string' ? build(Number(value)) : (value as unknown);
			Object.defineProperty(result, key, {
				value: part,
				enumerable: true,
				writable: true,
				configurable: true,
			});
		}
		return result;
	};
	return build(0);
}
