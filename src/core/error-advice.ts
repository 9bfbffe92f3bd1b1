/**
 * What becomes of an error, and what the person running the workflow does about it.
 *
 * - `retry`: transient; running the same item again can succeed.
 * - `dead-letter`: this item will fail again until a person changes something.
 * - `stop`: nothing will work until the configuration changes.
 */
export interface ErrorAdvice {
	readonly action: 'retry' | 'dead-letter' | 'stop';
	/** Shown below the message. */
	readonly remedy: string;
}
