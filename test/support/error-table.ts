import { ERROR_POLICY } from '../../src/core/errors';

const ACTIONS = {
	retry: 'passes by itself: the same item is tried again',
	'dead-letter': 'concerns one item: others go on',
	stop: 'nothing goes on until it is mended',
} as const;

/** The text of docs/errors.md. */
export function errorPage(): string {
	const rows = Object.entries(ERROR_POLICY).map(
		([code, { action, remedy }]) => `| \`${code}\` | ${ACTIONS[action]} | ${cell(remedy)} |`,
	);
	return [
		'# Errors',
		'',
		'Every error of this pack, what it means for the flow, and what to do. Made from `src/core/errors.ts`.',
		'',
		'| code | what it means for the flow | what to do |',
		'| --- | --- | --- |',
		...rows.sort(),
		'',
	].join('\n');
}

function cell(text: string): string {
	return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}
