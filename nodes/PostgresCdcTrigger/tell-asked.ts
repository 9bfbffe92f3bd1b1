import type { NodeOperationError } from 'n8n-workflow';

import type { SyncError } from '../../src/core/errors';
import type { TriggerHost } from './lifecycle';
import { refusal } from './row-reading';

interface Told {
	readonly host: TriggerHost;
	readonly asNodeError: (error: unknown) => NodeOperationError;
}

/** @param why - said of tables that were asked for and are not read here */
export function tellAsked(told: Told, strange: readonly string[], why: string): void {
	told.host.logger.info('Rows are read again, as somebody has asked');
	for (const table of strange) tellRefused(told, refusal({ table }, why));
}

/** In the log, and as an execution that failed. */
export function tellRefused({ host, asNodeError }: Told, error: SyncError): void {
	host.logger.warn(error.message);
	host.saveFailedExecution?.(asNodeError(error));
}
