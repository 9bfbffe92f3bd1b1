import type { HttpReply } from '../../src/core/http-outcome';

interface GivenReply {
	readonly status: unknown;
	readonly headers: unknown;
	readonly error: unknown;
}

/**
 * Reads an answer as n8n's HTTP Request node gives it: with "Never Error" a status and headers; with On Error set to
 * continue an error that may have them too, in places that differ from version to version.
 */
export function readReply({ status, headers, error }: GivenReply): HttpReply {
	const failed = objectOf(typeof error === 'string' ? { message: error } : error);
	const response = objectOf(failed['response']);
	const found = [status, failed['statusCode'], failed['httpCode'], failed['status'], response['status'], response['statusCode']].map(statusOf);
	const errorCode = codeOf(failed);
	return {
		status: found.find((one) => one !== null) ?? statusInWords(failed),
		headers: { ...textsOf(response['headers']), ...textsOf(headers) },
		...(errorCode === undefined ? {} : { errorCode }),
	};
}

function statusOf(value: unknown): number | null {
	const number = typeof value === 'string' && /^\d{3}$/.test(value.trim()) ? Number(value) : value;
	return typeof number === 'number' && Number.isInteger(number) && number >= 100 && number < 600 ? number : null;
}

/** "429 - {…}" and "Request failed with status code 429". */
function statusInWords({ message }: Readonly<Record<string, unknown>>): number | null {
	const [, first, last] = /^(\d{3}) - |status code (\d{3})\b/.exec(typeof message === 'string' ? message : '') ?? [];
	return statusOf(first ?? last);
}

/** A code of Node.js, wherever it stands; nothing of what the server has said. */
function codeOf(failed: Readonly<Record<string, unknown>>): string | undefined {
	const texts = [failed['code'], objectOf(failed['cause'])['code'], failed['message'], failed['description']];
	for (const one of texts) {
		const [code] = /\b(E[A-Z]{3,}(?:_[A-Z]+)*|(?:CERT|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)_[A-Z_]+)\b/.exec(typeof one === 'string' ? one : '') ?? [];
		if (code !== undefined && code !== 'ERROR') return code;
	}
	return undefined;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function textsOf(headers: unknown): Record<string, string> {
	const texts = Object.entries(objectOf(headers)).flatMap(([name, value]): [string, string][] =>
		typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [],
	);
	return Object.fromEntries(texts);
}
