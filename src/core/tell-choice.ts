import { MASK } from './mask';
import type { EntityPolicy } from './policy';
import type { Resolution } from './resolve';
import type { Part } from './told';

/** What a person decided, as a sentence. */
export function tellChoice({ by, choice }: Resolution, { sensitive }: Pick<EntityPolicy, 'sensitive'>): Part[] {
	const person: Part = { person: by };
	switch (choice.kind) {
		case 'apply':
			return [person, ' decided that the value of ', { system: choice.system }, ' holds everywhere'];
		case 'values':
			return [person, ' decided: ', ...Object.entries(choice.values).flatMap(([field, value], at): Part[] => [...(at === 0 ? [] : ['; ']), { field }, ' is ', { value: sensitive.has(field) ? MASK : value }])];
		case 'mix':
			return [person, ' decided: ', ...Object.entries(choice.systems).flatMap(([field, system], at): Part[] => [...(at === 0 ? [] : ['; ']), { field }, ' of ', { system }])];
		case 'dismiss':
			return [person, ' decided that the systems may differ'];
		case 'retry':
			return [person, ' let the rules decide again'];
		case 'approve':
			return [person, ' approved'];
		case 'reject':
			return [person, ' rejected'];
		case 'join':
			return [person, ' decided that two records are one; this one took in the other'];
		case 'joined':
			return [person, ' decided that two records are one; it is the other one from now on'];
		case 'part':
			return [person, ' decided that the row of ', { system: choice.system }, ' is another record'];
		case 'parted':
			return [person, ' decided that this row of ', { system: choice.system }, ' is a record of its own'];
	}
}
