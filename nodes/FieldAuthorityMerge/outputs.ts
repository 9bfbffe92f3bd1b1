/** The key of this node's findings. */
export const MERGE = 'merge';

/**
 * The outputs follow the parameter *Systems*. An expression, evaluated by the editor and by n8n,
 * that reads the names as `nameList` does.
 */
export const OUTPUTS_BY_SYSTEM = `={{ [
	...($parameter.systems || '').split(',').map((name) => name.trim())
		.filter((name, index, all) => name !== '' && all.indexOf(name) === index)
		.map((name) => ({ type: 'main', displayName: 'Write to ' + name })),
	{ type: 'main', displayName: 'Review' },
	{ type: 'main', displayName: 'Nothing To Do' },
] }}` as const;

/** The numbers of the outputs behind those of the systems. */
export function outputsFor(systems: readonly string[]): {
	readonly outputCount: number;
	readonly review: number;
	readonly nothingToDo: number;
} {
	return {
		outputCount: systems.length + 2,
		review: systems.length,
		nothingToDo: systems.length + 1,
	};
}
