import type { LintFinding } from './lint-finding';
import type { EntityPolicy, TableBinding } from './policy';

/** What a system behind an API cannot promise, and its author may not have meant. */
export function lintApis(entity: EntityPolicy): LintFinding[] {
	return [...entity.tables.values()].flatMap((binding) =>
		binding.api === undefined ? [] : [...lintNewRecords(entity, binding), ...lintBlindWrites(entity, binding)],
	);
}

/** An API leaves no marker: a record that we have made is told from others by its values alone. */
function lintNewRecords(entity: EntityPolicy, { system }: TableBinding): LintFinding[] {
	if (entity.match.length > 0) return [];
	return [
		{
			severity: 'warning',
			path: `entities.${entity.name}.${system}`,
			message: `Nothing says of a ${entity.name} of ${system} that the sync has made it, so one whose webhook comes before the answer to its creation is created once more elsewhere.`,
			fix: 'Add match: [[field]], or keep the idempotency key in a property of the record and give it to Echo Filter as Our Mark.',
		},
	];
}

function lintBlindWrites(entity: EntityPolicy, { system, api }: TableBinding): LintFinding[] {
	const written = [...entity.fields.values()].filter(({ columns, authority }) => columns.has(system) && !(authority.kind === 'owned' && authority.owner === system));
	if (api !== 'blind' || written.length === 0) return [];
	return [
		{
			severity: 'info',
			path: `entities.${entity.name}.${system}.api`,
			message: `What somebody changes in ${system} at the moment of a write is replaced unseen (${written.map(({ name }) => name).join(', ')}).`,
			fix: 'Set api: conditional if the API takes a condition (If-Match), or api: verified if it can be read before and after a write.',
		},
	];
}
