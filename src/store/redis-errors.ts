import { type ErrorCode, SyncError } from '../core/errors';

/** By the first word of the server's answer. */
const ANSWERS: Readonly<Record<string, ErrorCode>> = {
	NOAUTH: 'AUTH_FAILED',
	WRONGPASS: 'AUTH_FAILED',
	NOPERM: 'PRIVILEGE_MISSING',
	OOM: 'STORE_FULL',
	MISCONF: 'STORE_FULL',
	READONLY: 'STORE_READ_ONLY',
	NOREPLICAS: 'STORE_READ_ONLY',
	MOVED: 'STORE_UNSUITABLE',
	CROSSSLOT: 'STORE_UNSUITABLE',
	BUSY: 'STORE_UNREACHABLE',
	LOADING: 'STORE_UNREACHABLE',
	MASTERDOWN: 'STORE_UNREACHABLE',
	CLUSTERDOWN: 'STORE_UNREACHABLE',
	TRYAGAIN: 'STORE_UNREACHABLE',
};

const MEANINGS: Partial<Record<ErrorCode, string>> = {
	AUTH_FAILED: 'refused the user or password',
	PRIVILEGE_MISSING: 'does not let the user run a command',
	STORE_FULL: 'takes no more data',
	STORE_READ_ONLY: 'takes no writes',
	STORE_UNSUITABLE: 'is a node of a cluster that keeps these keys elsewhere',
};

const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;
/** A server that speaks no TLS answers the handshake with text, or not at all. */
const TLS_MESSAGE = /certificate|wrong version number|secure TLS connection/i;

/**
 * What a failed command means for the person running the sync. Answers of the server carry no values of ours, so they
 * may be shown. Anything else, a mistake in a script included, comes back as it is.
 *
 * @param trouble - why there is no connection, when that is so: the error of a command that waited for one does not say
 */
export function toStoreError(error: unknown, { address, trouble }: { address: string; trouble: Error | null }): Error {
	if (!(error instanceof Error)) return new TypeError(String(error));
	const store = `The sync store on ${address}`;
	const reason = error.name === 'ReplyError' ? error : (trouble ?? error);
	const code = ANSWERS[reason.message.split(' ', 1)[0] ?? ''];
	if (code === 'STORE_UNREACHABLE') return new SyncError(code, `${store} is not ready: ${reason.message}`, { cause: error });
	const meaning = code && MEANINGS[code];
	if (code && meaning) return new SyncError(code, `${store} ${meaning}: ${reason.message}`, { cause: error });
	return reason.name === 'ReplyError' ? error : unreachable(reason, store);
}

function unreachable(reason: Error, store: string): SyncError {
	const { code } = reason as { code?: unknown };
	const isTls = (typeof code === 'string' && TLS_CODE.test(code)) || TLS_MESSAGE.test(reason.message);
	return new SyncError(isTls ? 'TLS_FAILED' : 'STORE_UNREACHABLE', `${store} cannot be reached: ${reason.message || String(code)}`, { cause: reason });
}
