/**
 * Something in a valid policy that a person should look at before it goes live.
 *
 * - `error`: some records or values will not sync. `warning`: they may surprise. `info`: good to know.
 */
export interface LintFinding {
	readonly severity: 'error' | 'warning' | 'info';
	/** As in the parser's problems: `entities.customer.fields.email`. */
	readonly path: string;
	/** One sentence: what happens. Names, no row values. */
	readonly message: string;
	/** One sentence: what to do about it. */
	readonly fix: string;
}
