import { canonicalJson } from './canonical-json';
import { explain, freeze, unfreeze, type Draft } from './draft';
import { comparedValues, isSimilar, lacksRow, likeness, likenessOf } from './likeness';
import { EXISTENCE, existsIn, fieldOf, type Freeze, isStill, type LinkState, type TwinsShown } from './link';
import type { EntityPolicy } from './policy';
import type { Rules } from './strategies';

/**
 * Records of different systems that resemble each other and have no match key in common. Before such a record
 * is created elsewhere, a person says whether it is the same as the other one: then the two links become one
 * (see `join-links.ts`). One of the links asks, the other is held by the same item.
 */
export interface Twin {
	readonly link: string;
	/** 0 to 1. */
	readonly score: number;
	/** Whether the two could be one record: no system has, or is about to get, a row of each. */
	readonly fits: boolean;
	/** The other record, for a person to look at. */
	readonly shown: TwinsShown['twin'];
	/** The item by which it asks whether it is the same as this record; null when it does not. */
	readonly asks: string | null;
}

/** What is known of the links that were found by the likeness of one: those that resemble it, the most alike first. */
export function twinsOf(state: LinkState, others: readonly LinkState[], entity: EntityPolicy): Twin[] {
	const { similar } = entity;
	const mine = likenessOf(state, entity);
	if (similar === null || mine === null) return [];
	const twins = others.flatMap((other): Twin[] => {
		const theirs = other.id === state.id ? null : likenessOf(other, entity);
		const score = theirs === null ? 0 : likeness(mine.values, theirs.values);
		if (!isSimilar(score, similar)) return [];
		const shown = { keys: other.keys, values: comparedValues(other, entity) };
		return [{ link: other.id, score, fits: mayBeOne(state, other, entity), shown, asks: asksAbout(other, state.id) }];
	});
	return twins.sort((a, b) => b.score - a.score || (a.link < b.link ? -1 : 1));
}

/** Whether two links could be one: each system has a row of one of them at most, and nobody has said that they are two. */
export function mayBeOne(a: LinkState, b: LinkState, entity: EntityPolicy): boolean {
	if (![a, b].some((state) => isAbsorbable(state, entity)) || a.apart?.includes(b.id) || b.apart?.includes(a.id)) return false;
	if ([a, b].some((state) => !lacksRow(state, entity) || isDisputed(state))) return false;
	return [...entity.tables.keys()].every((system) => !(has(a, system) && has(b, system)));
}

/** Whether the link has one row, and nothing of it is under way: all that it knows is then what that row says. */
function isAbsorbable(state: LinkState, entity: EntityPolicy): boolean {
	return rowsOf(state, entity).length === 1 && Object.keys(state.inFlight).length === 0;
}

/** Of two links that may be one, the one that goes on and the one that is taken into it. */
export function joinOrder(a: LinkState, b: LinkState, entity: EntityPolicy): { survivor: LinkState; absorbed: LinkState } {
	const size = (state: LinkState): number => (isAbsorbable(state, entity) ? 0 : 1);
	const goesOn = size(a) === size(b) ? a.id < b.id : size(a) > size(b);
	return goesOn ? { survivor: a, absorbed: b } : { survivor: b, absorbed: a };
}

function rowsOf(state: LinkState, { tables }: EntityPolicy): string[] {
	return [...tables.keys()].filter((system) => existsIn(state, system));
}

/** Has a row there, is about to, or has had one: what is there besides is another record's. Or somebody has said that it goes without. */
function has({ fields, inFlight }: LinkState, system: string): boolean {
	return fields[EXISTENCE]?.views[system] !== undefined || inFlight[system]?.kind === 'insert';
}

/** Whether it shall exist at all is asked already. */
function isDisputed({ fields }: LinkState): boolean {
	return ['approval', 'conflict'].includes(fields[EXISTENCE]?.frozen?.kind ?? '');
}

function asksAbout({ id, fields }: LinkState, other: string): string | null {
	const frozen = fields[EXISTENCE]?.frozen;
	return frozen?.twin === other && frozen.review.startsWith(`${id}.`) ? frozen.review : null;
}

/**
 * Lets go of a question that has come to its end; while it is not known who resembles the record, none has. Before
 * the record's existence is merged, which the question holds still.
 *
 * @returns whether there was one
 */
export function releaseTwin(draft: Draft, { entity, known }: Rules): boolean {
	const { state } = draft;
	const frozen = state.fields[EXISTENCE]?.frozen;
	if (frozen?.twin === undefined) return false;
	const lacks = entity.similar !== null && lacksRow(state, entity);
	if (lacks && known?.twins === undefined) return false;
	const twin = lacks ? known?.twins?.find(({ link, fits }) => fits && link === frozen.twin) : undefined;
	if (twin && isAsked(state, twin, frozen.review)) return showAnew(draft, frozen, shownOf(state, { twin, entity }));
	unfreeze(draft, frozen.review, twin ? 'the other record asks' : 'nothing resembles the record any more');
	return true;
}

/** Who is asked sees both records as they are. @returns whether one of them has changed */
function showAnew(draft: Draft, frozen: Freeze, shows: TwinsShown): boolean {
	if (frozen.shows === undefined || canonicalJson(frozen.shows) === canonicalJson(shows)) return false;
	fieldOf(draft.state, EXISTENCE).frozen = { ...frozen, shows };
	return true;
}

function shownOf(state: LinkState, { twin, entity }: { twin: Twin; entity: EntityPolicy }): TwinsShown {
	return { percent: Math.round(twin.score * 100), values: comparedValues(state, entity), twin: twin.shown };
}

/** Asks before a record is created elsewhere whether it is there already. @returns whether there is somebody to ask about */
export function askIfOne(draft: Draft, { entity, known }: Rules): boolean {
	const lacks = entity.similar !== null && lacksRow(draft.state, entity);
	return lacks && !isStill(fieldOf(draft.state, EXISTENCE)) && ask(draft, entity, known?.twins ?? []);
}

/** Whether the question stands: as this link's own, unless both ask, or as the other one's. */
function isAsked({ id }: LinkState, { link, asks }: Twin, review: string): boolean {
	if (review.startsWith(`${id}.`)) return asks === null || id < link;
	return asks === review;
}

function ask(draft: Draft, entity: EntityPolicy, twins: readonly Twin[]): boolean {
	const fitting = twins.filter(({ fits }) => fits);
	const twin = fitting.find(({ asks }) => asks !== null) ?? fitting[0];
	if (!twin) return false;
	const reason = `It resembles a record of another system (${Math.round(twin.score * 100)} %): a person says whether they are the same`;
	if (twin.asks === null) {
		freeze(draft, [EXISTENCE], { kind: 'identity', reason, twin: twin.link, shows: shownOf(draft.state, { twin, entity }) });
		return true;
	}
	fieldOf(draft.state, EXISTENCE).frozen = { review: twin.asks, kind: 'identity', reason, twin: twin.link };
	explain(draft, 'frozen', { detail: { review: twin.asks, reason, twin: twin.link } });
	return true;
}

/** What a link waits for while it asks: that its twin changes. */
export function twinWaits({ fields }: LinkState): string[] {
	const twin = fields[EXISTENCE]?.frozen?.twin;
	return twin === undefined ? [] : [twinText(twin)];
}

/** What others may wait for and this step has brought. */
export function twinTells(before: LinkState, after: LinkState, entity: EntityPolicy): string[] {
	if (entity.similar === null || twinFacts(before, entity) === twinFacts(after, entity)) return [];
	return [twinText(after.id)];
}

/** All that `twinsOf` goes by, or shows. */
function twinFacts(state: LinkState, entity: EntityPolicy): string {
	const { frozen = null, views = {} } = state.fields[EXISTENCE] ?? {};
	const inFlight = Object.values(state.inFlight).map(({ system, kind }) => [system, kind]);
	const asks = [frozen?.kind ?? null, frozen?.review ?? null, frozen?.twin ?? null];
	return canonicalJson([lacksRow(state, entity) ? comparedValues(state, entity) : null, state.keys, rowsOf(state, entity), Object.keys(views).sort(), inFlight, asks, [...(state.apart ?? [])]]);
}

const twinText = (link: string): string => `twin ${link}`;

/** Whether another look is due: who else asks, or has been let go, between reading and this step is found by it. */
export function isFreshlyAsked(before: LinkState, after: LinkState): boolean {
	const [was, is] = [before, after].map(({ fields }) => fields[EXISTENCE]?.frozen);
	return is?.twin !== undefined && (was?.review !== is.review || was.twin !== is.twin);
}
