import type { FieldContext } from './policy-codecs';
import type { Strategy } from './policy';
import { didYouMean, listOf } from './suggest';

/** Two commits closer together than this have no order that machines' clocks could tell. */
const DEFAULT_TOLERANCE_MS = 500;

/** Strategies without arguments. */
const WORDS = ['max', 'min', 'longest', 'union', 'delta', 'review'] as const;

interface ReadResolve {
	readonly owner?: string;
	readonly resolve?: string | undefined;
	/** Also true when `resolve` was there and could not be read. */
	readonly hasResolve: boolean;
}

/** Reads `resolve` of a shared field: `prefer(crm)`, `latest(200ms)`, `max` … */
export function readStrategy(read: ReadResolve, { problems, path, carriers }: FieldContext): Strategy {
	const available = [...carriers.map((system) => `prefer(${system})`), 'latest', ...WORDS];
	const use = `use ${listOf(available, 'or')}`;
	const add = (message: string) => problems.add([...path, 'resolve'], message);
	if (read.owner === 'shared' && !read.hasResolve)
		add(`is missing; a shared field needs one: ${use}`);
	if (read.resolve === undefined) return { kind: 'review' };
	const [, word = '', argument] =
		/^\s*([\w-]+)\s*(?:\(\s*(.*?)\s*\))?\s*$/.exec(read.resolve) ?? [];
	if (word === 'prefer') {
		if (argument !== undefined && carriers.includes(argument)) return { kind: 'prefer', system: argument };
		add(`prefer must name a system with a column for this field; ${use}`);
	} else if (word === 'latest') {
		const toleranceMs = readTolerance(argument);
		if (toleranceMs !== undefined) return { kind: 'latest', toleranceMs };
		add('latest takes a tolerance in milliseconds or seconds; write latest, latest(200ms) or latest(2s)');
	} else {
		const kind = WORDS.find((one) => one === word);
		if (kind !== undefined && argument === undefined) return { kind };
		add(`"${read.resolve}" is not a strategy; ${use}${didYouMean(read.resolve, available)}`);
	}
	return { kind: 'review' };
}

/** The strategy as the document writes it. */
export function strategyText(strategy: Strategy): string {
	switch (strategy.kind) {
		case 'prefer':
			return `prefer(${strategy.system})`;
		case 'latest':
			return `latest(${strategy.toleranceMs}ms)`;
		default:
			return strategy.kind;
	}
}

function readTolerance(argument: string | undefined): number | undefined {
	if (argument === undefined) return DEFAULT_TOLERANCE_MS;
	const [, digits, unit] = /^(\d{1,7})\s*(ms|s)?$/.exec(argument) ?? [];
	if (digits === undefined) return undefined;
	return Number(digits) * (unit === 's' ? 1000 : 1);
}
