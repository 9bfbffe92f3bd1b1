/** The key of this node's findings. */
export const GUARD = 'guard';

export const OPERATIONS = ['claim', 'complete', 'release'] as const;

/** Numbers of the outputs of a claim. */
export const NEW = 0;
export const DUPLICATE = 1;
export const IN_PROGRESS = 2;

/** An expression, evaluated by the editor and by n8n. */
export const OUTPUTS_BY_OPERATION =
	`={{ ($parameter.operation === 'complete' || $parameter.operation === 'release'
	? ['Done']
	: ['New', 'Duplicate', 'In Progress']
).map((displayName) => ({ type: 'main', displayName })) }}` as const;
