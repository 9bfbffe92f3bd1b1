import { canonicalJson, equalJson, type Json } from './canonical-json';
import { EXISTENCE, existsIn, fieldOf, hasRowIn, type Freeze, type LinkState, type Operation } from './link';
import type { Draft } from './draft';
import type { EntityPolicy, Policy } from './policy';
import { referenceFields } from './reference-graph';
import { untilChanged, type Known } from './references';

/**
 * Writes that a system refuses because of another row: one that has a unique value already, one that is referred to
 * and has gone or got another key, one that still refers. A person is asked; but when such a row makes room the write
 * is tried again, and the question closes by itself. Which row it is the database does not say, so every row
 * that gives up one of the values counts.
 */
interface Obstacle {
	readonly field: string;
	readonly system: string;
	readonly frozen: Freeze;
}

/** Of class 23, "integrity constraint violation", in appendix A of the Postgres manual: unique, exclusion, foreign key. */
const OBSTACLES: Readonly<Record<string, NonNullable<Freeze['obstacle']>>> = { '23505': 'value taken', '23P01': 'value taken', '23503': 'reference' };

/** What a refusal says of another row, by the code at the end of its text. */
export function obstacleOf(refusal: string | undefined): Pick<Freeze, 'obstacle'> {
	const [, code = ''] = /\(SQLSTATE (\w{5})\)$/.exec(refusal ?? '') ?? [];
	const obstacle = OBSTACLES[code];
	return obstacle === undefined ? {} : { obstacle };
}

export function obstaclesOf({ fields, staleRuns }: LinkState): Obstacle[] {
	return Object.entries(fields).flatMap(([field, { frozen }]): Obstacle[] => {
		if (frozen === null || frozen.twin !== undefined) return [];
		if (frozen.kind === 'failure') {
			const { refusedBy: system, obstacle } = frozen;
			return system === undefined || obstacle === undefined ? [] : [{ field, system, frozen }];
		}
		if (field !== EXISTENCE || frozen.kind !== 'identity') return [];
		const systems = Object.keys(staleRuns).filter((system) => staleRuns[system]?.seen[EXISTENCE] !== undefined);
		return systems.map((system) => ({ field, system, frozen }));
	});
}

/** What a link with obstacles waits for, as other commits tell it. */
export function obstacleWaits(state: LinkState, policy: Policy): string[] {
	const entity = policy.entities.get(state.entity);
	const waits = obstaclesOf(state).flatMap(({ field, system, frozen }) => {
		if (!entity) return [];
		const written = field === EXISTENCE ? [...entity.fields.keys()] : [field];
		const values = written.flatMap((name) => {
			const canon = entity.fields.get(name)?.columns.has(system) ? state.fields[name]?.merged?.canon : undefined;
			return canon === undefined ? [] : valueText(entity.name, { system, name, canon });
		});
		return [...values, ...(frozen.obstacle === 'reference' ? referenceWaits(state, { policy, entity, system }) : [])];
	});
	return [...new Set(waits)];
}

/** For the records that it names to change, and for those that name it to let go. */
function referenceWaits(state: LinkState, { policy, entity, system }: { policy: Policy; entity: EntityPolicy; system: string }): string[] {
	const named = referenceFields(entity).flatMap(({ name }) => {
		const canon = state.fields[name]?.merged?.canon;
		return typeof canon === 'string' ? [untilChanged(canon)] : [];
	});
	const naming = [...policy.entities.values()].flatMap((other) =>
		referenceFields(other).flatMap(({ name, references }) =>
			references === entity.name ? valueText(other.name, { system, name, canon: state.id }) : [],
		),
	);
	return [...named, ...naming];
}

/** The values that rows of the link have given up with this step. */
export function obstacleTells(before: LinkState, after: LinkState): string[] {
	return Object.entries(before.fields).flatMap(([name, { views }]) =>
		Object.entries(name === EXISTENCE ? {} : views).flatMap(([system, view]) => {
			if (!hasRowIn(before, system)) return [];
			const now = after.fields[name]?.views[system];
			const isKept = hasRowIn(after, system) && (now === view || (now !== undefined && equalJson(now.canon, view.canon)));
			return isKept ? [] : valueText(after.entity, { system, name, canon: view.canon });
		}),
	);
}

/** Longer texts are hardly unique. */
const MAX_LENGTH = 200;

function valueText(entity: string, { system, name, canon }: { system: string; name: string; canon: Json }): string[] {
	if (canon === null || typeof canon === 'object' || String(canon).length > MAX_LENGTH) return [];
	return [`value ${canonicalJson([entity, system, name, canon])}`];
}

/**
 * Notes with a refusal which keys were written: the record that they meant may have got another one, or gone, before
 * the write came, and stands before the refusal in the stream.
 */
export function noteKeysWritten(draft: Draft, op: Operation | undefined, entity: EntityPolicy): void {
	const frozen = op && obstaclesOf(draft.state).find(({ frozen: one }) => one.obstacle === 'reference' && one.named === undefined)?.frozen;
	if (!frozen || op.kind === 'delete') return;
	const named = referenceFields(entity).flatMap(({ name }): [string, Json][] => {
		const next = op.fields[name]?.next;
		return next == null ? [] : [[name, next]];
	});
	if (named.length === 0) return;
	for (const field of Object.keys(draft.state.fields)) {
		const one = fieldOf(draft.state, field);
		if (one.frozen?.review === frozen.review) one.frozen = { ...one.frozen, named: Object.fromEntries(named) };
	}
}

/** Whether a look at the records that a refused write named is still to be taken. */
export function isFreshlyRefused(before: LinkState, after: LinkState): boolean {
	return obstaclesOf(after).some(({ field, frozen }) => frozen.named !== undefined && before.fields[field]?.frozen?.review !== frozen.review);
}

/** Why a field need not be held still any more; null while it must. */
export function obstacleGone({ state }: Draft, field: string, known: Known | undefined): string | null {
	const mine = obstaclesOf(state).filter((one) => one.field === field);
	if (mine.length === 0) return null;
	const isIdentity = mine.every(({ frozen }) => frozen.kind === 'identity');
	if (isIdentity && mine.every(({ system }) => existsIn(state, system))) return 'the record is there now';
	// Which keys were written is known of this one: another look at the records that they mean tells all there is.
	if (known?.freed && mine.every(({ frozen }) => frozen.named === undefined)) return 'a row that may have been in the way has changed';
	return mine.some((one) => namesAnother(state, one, known)) ? 'a record that it names has got another key, or has gone' : null;
}

function namesAnother({ fields }: LinkState, { system, frozen }: Obstacle, known: Known | undefined): boolean {
	return Object.entries(frozen.named ?? {}).some(([name, written]) => {
		const referred = known?.referred?.find(({ link }) => link === fields[name]?.merged?.canon);
		return referred !== undefined && (referred.fate !== 'stays' || referred.keys[system] !== String(written));
	});
}
