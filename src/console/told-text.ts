import type { Json } from '../core/canonical-json';
import type { Part, Told } from '../core/told';
import { momentText } from './moment';
import { fieldName, valueText } from './shown-value';

/** A line of a record's history as plain text, for messages and items. @param zone - IANA name of the times in it */
export function toldText({ parts }: Pick<Told, 'parts'>, zone: string): string {
	return parts.map((part) => partText(part, zone)).join('');
}

function partText(part: Part, zone: string): string {
	if (typeof part === 'string') return part;
	if ('value' in part) return quoted(part.value);
	if ('field' in part) return fieldName(part.field);
	if ('system' in part) return part.system;
	if ('person' in part) return part.person;
	return momentText(part.atMs, zone);
}

/** Nothing, an empty text and a text can be told apart. */
function quoted(value: Json): string {
	if (value === null) return 'empty';
	return typeof value === 'string' ? `"${value}"` : valueText(value);
}
