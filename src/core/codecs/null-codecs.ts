import { equalJson, type Json } from '../canonical-json';
import { equalDecimals, readDecimal } from '../exact-decimal';
import { readable, refused, type Codec } from './codec';

/** '' means null here: read as null, never written. */
export const emptyAsNull = nullCodec('empty-as-null', { means: (raw) => raw === '', write: null });

/** 0 means null here ('0.00' and 0 too): read as null, never written. */
export const zeroAsNull = nullCodec('zero-as-null', {
	means: (raw) => isSame(raw, '0'),
	write: null,
});

/**
 * A column that cannot hold null, or is not given it, and says `text` instead: read as null, and
 * null is written as `text`. A number is found in every spelling: `null-as(0)` reads '0.00' too.
 */
export function nullAs(text: string): Codec {
	return nullCodec(`null-as(${text})`, { means: (raw) => isSame(raw, text), write: text });
}

/**
 * Null means `text` here: read as `text`, and never written, for the column of another system
 * that has no nulls. What `text` itself says is canonical as it is.
 */
export function defaultTo(text: string): Codec {
	return {
		name: `default(${text})`,
		nulls: true,
		toCanon: (raw) => readable(raw === null ? text : raw),
		toRaw: (canon) => {
			return canon === null ? refused('is null, which this column cannot say') : readable(canon);
		},
	};
}

/** `write` is what null becomes; a value that would be read as null is not written for itself. */
function nullCodec(
	name: string,
	{ means, write }: { means: (raw: Json) => boolean; write: string | null },
): Codec {
	return {
		name,
		nulls: true,
		toCanon: (raw) => readable(means(raw) ? null : raw),
		toRaw: (canon) => {
			if (canon === null) return readable(write);
			return means(canon) ? refused('is what stands for null in this column') : readable(canon);
		},
	};
}

function isSame(raw: Json, text: string): boolean {
	if (typeof raw === 'boolean') return String(raw) === text;
	if (equalJson(raw, text)) return true;
	const [a, b] = [readDecimal(raw), readDecimal(text)];
	return a.ok && b.ok && equalDecimals(a.decimal, b.decimal);
}
