import { ERROR_POLICY } from '../../src/core/errors';

const WHAT_HAPPENS = {
	retry: 'tried again by itself',
	'dead-letter': 'this item waits; others go on',
	stop: 'stops until it is corrected',
} as const;

/** The page docs/errors.md: every way the pack can fail, from the table that the code itself uses. */
export function errorPage(): string {
	const rows = Object.entries(ERROR_POLICY)
		.sort(([left], [right]) => (left < right ? -1 : 1))
		.map(
			([code, { action, remedy }]) =>
				`| \`${code}\` | ${WHAT_HAPPENS[action]} | ${escapeCell(remedy)} |`,
		);
	return [
		'# Errors',
		'',
		'Every way this pack can fail, and what to do. The message itself says what happened to which thing, and shows the',
		'text of the last column below it. Generated from the error tables in `src/core` by `UPDATE_DOCS=1 npm test -- test/docs.test.ts`.',
		'',
		'| Code | What happens | What to do |',
		'| --- | --- | --- |',
		...rows,
		'',
	].join('\n');
}

function escapeCell(text: string): string {
	return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
