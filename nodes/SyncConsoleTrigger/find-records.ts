import type { FindModel } from '../../src/console/record-page';
import { equalJson, type Json } from '../../src/core/canonical-json';
import type { LinkState } from '../../src/core/link';
import { keyText } from '../../src/core/mapping';
import type { EntityPolicy } from '../../src/core/policy';
import { policyInForce } from '../../src/store/published-policy';
import type { LoadedLink, PublishedPolicy, RecordKey } from '../../src/store/sync-store';
import type { Visit } from './visit';
import { shownKeys } from '../../src/console/shown-record';

const PAGE = 1_000;
/** Records whose values are looked at: a search by value is a scan. */
const MAX_SCANNED = 20_000;
const MAX_FOUND = 50;

/** Records by the ID of their link, a key, or the whole value of a field that is not sensitive. */
export async function findRecords({ store, policy }: Pick<Visit, 'store' | 'policy'>, sought: string | null, published: PublishedPolicy): Promise<FindModel> {
	const rules = policyInForce(published).policy;
	const wanted = sought?.trim() ?? '';
	if (wanted === '') return { sought: null, found: [], isCut: false };
	const keys = [...rules.entities].flatMap(([entity, { tables }]) => [...tables].flatMap(([system, { key }]): RecordKey[] => (key.length === 1 ? keysFor(wanted).map((value) => ({ system, entity, key: { [key[0] ?? '']: value } })) : [])));
	const direct = (await store.load({ policy, links: [wanted], keys })).links;
	const { links, isCut } = direct.length > 0 ? { links: direct, isCut: false } : await scan({ store, policy }, (state) => hasValue(state, rules.entities.get(state.entity), wanted));
	const found = links.slice(0, MAX_FOUND).flatMap(({ state }) => {
		const entity = rules.entities.get(state.entity);
		const named = entity ? Object.entries(shownKeys(state, entity)).map(([system, key]) => `${system} ${key}`) : [];
		return entity ? [{ link: state.id, entity: state.entity, keys: named.join(' · ') }] : [];
	});
	return { sought: wanted, found, isCut };
}

/** A number may be stored as one, or as text. */
function keysFor(text: string): Json[] {
	const number = Number(text);
	return Number.isSafeInteger(number) && keyText(number) === text ? [text, number] : [text];
}

async function scan({ store, policy }: Pick<Visit, 'store' | 'policy'>, isWanted: (state: LinkState) => boolean): Promise<{ links: LoadedLink[]; isCut: boolean }> {
	const links: LoadedLink[] = [];
	let afterId: string | undefined;
	for (let scanned = 0; scanned < MAX_SCANNED; scanned += PAGE) {
		const page = await store.scanLinks({ policy, limit: PAGE, ...(afterId === undefined ? {} : { afterId }) });
		links.push(...page.filter(({ state }) => isWanted(state)));
		afterId = page.at(-1)?.state.id;
		if (page.length < PAGE || links.length >= MAX_FOUND) return { links, isCut: false };
	}
	return { links, isCut: true };
}

function hasValue({ fields }: LinkState, entity: EntityPolicy | undefined, wanted: string): boolean {
	return Object.entries(fields).some(([name, { views, merged }]) => {
		if (entity === undefined || entity.sensitive.has(name) || !entity.fields.has(name)) return false;
		return [merged?.canon, ...Object.values(views).map(({ canon }) => canon)].some((value) => value !== undefined && (equalJson(value, wanted) || (typeof value === 'string' && value.toLowerCase() === wanted.toLowerCase())));
	});
}
