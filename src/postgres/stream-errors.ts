import { SyncError } from '../core/errors';
import { codeOf, messageOf, toSyncError } from './sql';

const UNDEFINED_OBJECT = '42704';
const NOT_IN_PREREQUISITE_STATE = '55000';
const UNDEFINED_FILE = '58P01';

/** What ended a running change stream, as the error its consumer gets. */
export function streamError(error: unknown): SyncError {
	if (error instanceof SyncError && error.code !== 'DATABASE_UNREACHABLE') return error;
	const mapped = toSyncError(error, 'the change stream');
	const text = mapped.message;
	const cause = error;
	if (mapped instanceof SyncError) {
		if (mapped.code !== 'DATABASE_UNREACHABLE') return mapped;
		return new SyncError(
			'CONNECTION_LOST',
			`The change stream's connection broke: ${messageOf(error)}`,
			{ cause },
		);
	}
	const state = codeOf(error);
	if (state === UNDEFINED_OBJECT) {
		return new SyncError('PUBLICATION_MISSING', `The server cannot read the changes: ${text}`, {
			cause,
		});
	}
	if (state === UNDEFINED_FILE) {
		return new SyncError('SLOT_LOST', `The server removed log that the slot needs: ${text}`, {
			cause,
		});
	}
	const headline =
		state === undefined ? 'The change stream failed' : 'The server ended the change stream';
	return new SyncError('STREAM_FAILED', `${headline}: ${text}`, { cause });
}

/** What a server says while it streams without ending the stream. */
export interface StreamNotice {
	/** SQLSTATE. */
	readonly code?: string | undefined;
	readonly message?: string | undefined;
}

const SUCCESSFUL_COMPLETION = '00000';

/**
 * A warning during the stream means that something is wrong with what we read: from Postgres 18 on a
 * publication that did not exist at the time of a change is a mere warning, and the change is skipped.
 * So warnings are errors.
 *
 * @returns null for a mere notice
 */
export function noticeError({ code, message }: StreamNotice): SyncError | null {
	if (code === undefined || code === SUCCESSFUL_COMPLETION) return null;
	if (code === NOT_IN_PREREQUISITE_STATE || code === UNDEFINED_OBJECT) {
		return new SyncError('PUBLICATION_MISSING', `The server skips changes: ${message ?? code}`);
	}
	if (code.startsWith('57P')) {
		return new SyncError('CONNECTION_LOST', `The server goes down: ${message ?? code}`);
	}
	return new SyncError('STREAM_FAILED', `The server warned while it streamed: ${message ?? code}`);
}
