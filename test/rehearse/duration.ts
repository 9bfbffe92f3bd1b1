import { z } from 'zod/v4';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const SHAPE = /^([+-]?\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;

/** "2s", "+1h", "-90m": milliseconds. */
export const duration = z.string().transform((text, context): number => {
	const [, count, unit = ''] = SHAPE.exec(text.trim()) ?? [];
	const factor = UNITS[unit];
	if (count !== undefined && factor !== undefined) return Number(count) * factor;
	context.addIssue({ code: 'custom', message: `must be a time such as 2s, +1h or -90m, not "${text}"` });
	return z.NEVER;
});
