import type { Switches } from './switches';

/** Why a request is turned away, if it is. */
export interface Refusal {
	readonly status: number;
	readonly retryAfterSeconds: number | null;
}

/** The server's own limits: a bucket of requests, and refusals that were switched on. */
export class Limiter {
	/** When requests were turned away, milliseconds since 1970. */
	readonly refusedAtMs: number[] = [];
	#tokens = Infinity;
	#atMs = 0;

	/** Takes one request out of the bucket. */
	refusal(switches: Pick<Switches, 'rate' | 'refuse'>, nowMs: number): Refusal | null {
		const refusal = this.#judge(switches, nowMs);
		if (refusal) this.refusedAtMs.push(nowMs);
		return refusal;
	}

	#judge({ rate, refuse }: Pick<Switches, 'rate' | 'refuse'>, nowMs: number): Refusal | null {
		if (refuse && nowMs < refuse.untilMs) return refuse;
		if (!rate) return null;
		const since = (nowMs - this.#atMs) / 1_000;
		this.#tokens = Math.min(rate.capacity, this.#tokens + since * rate.refillPerSecond);
		this.#atMs = nowMs;
		if (this.#tokens >= 1) {
			this.#tokens -= 1;
			return null;
		}
		const wait = (1 - this.#tokens) / rate.refillPerSecond;
		return { status: 429, retryAfterSeconds: Math.ceil(wait) };
	}
}

/** Retry-After as RFC 9110, 10.2.3 has it: seconds, or an HTTP date (whole seconds, rounded up). */
export function retryAfter(seconds: number, form: Switches['retryAfter'], nowMs: number): string {
	if (form === 'seconds') return String(seconds);
	return new Date(Math.ceil(nowMs / 1_000 + seconds) * 1_000).toUTCString();
}
