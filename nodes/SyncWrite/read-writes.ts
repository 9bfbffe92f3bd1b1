import type { INodeExecutionData } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import type { Operation } from '../../src/core/link';
import { parseOperation } from '../../src/core/parse-operation';
import { filled, findingOf, type InputItem, isTestItem } from '../shared/items';

/** An item and the operation that it brings. */
export interface WriteItem extends InputItem {
	readonly op: Operation;
}

export interface Writes {
	readonly items: readonly WriteItem[];
	/** Items that bring nothing that may be written here, and why. */
	readonly unfit: readonly (InputItem & { readonly error: SyncError })[];
	/** From a manual test run: nothing is written. */
	readonly isTest: boolean;
}

/** Reads what Field Authority Merge handed out for this system. */
export function readWrites(items: readonly INodeExecutionData[], system: string): Writes {
	const fit: WriteItem[] = [];
	const unfit: (InputItem & { error: SyncError })[] = [];
	for (const input of filled(items)) {
		const op = operationOf(input.item, system);
		if (op instanceof SyncError) unfit.push({ ...input, error: op });
		else fit.push({ ...input, op });
	}
	return { items: fit, unfit, isTest: fit.some(({ item }) => isTestItem(item)) };
}

function operationOf(item: INodeExecutionData, system: string): Operation | SyncError {
	const merge = findingOf(item, 'merge');
	if (merge?.['op'] === undefined) {
		return new SyncError('NOT_AN_OPERATION', 'The item says nothing about what is to be written');
	}
	const op = parsed(merge['op']);
	if (op instanceof SyncError || op.system === system) return op;
	return new SyncError(
		'WRONG_SYSTEM',
		`The operation is for ${op.system}, but this node writes to ${system}: connect the output "Write to ${op.system}" of Field Authority Merge to the Sync Write of ${op.system}`,
	);
}

function parsed(value: unknown): Operation | SyncError {
	try {
		return parseOperation(value);
	} catch (error) {
		if (error instanceof SyncError) return error;
		return new SyncError('NOT_AN_OPERATION', 'The operation of the item cannot be read', {
			cause: error,
		});
	}
}
