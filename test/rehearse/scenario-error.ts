/** What is wrong with a scenario, told to whoever wrote it; no defect of the sync. */
export class ScenarioError extends Error {
	constructor(message: string, options: ErrorOptions = {}) {
		super(message, options);
		this.name = 'ScenarioError';
	}
}

/** `a, b or c`, each quoted. */
export function anyOf(words: Iterable<string>): string {
	const quoted = [...words].map((word) => `"${word}"`);
	const last = quoted.pop();
	if (last === undefined) return 'nothing';
	return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}
