import { decide, isDue } from '../../src/core/decide';
import { emptyLink, EXISTENCE, type LinkState, type Operation } from '../../src/core/link';
import { inForce, observe } from '../../src/core/observe';
import { positionOf } from '../../src/core/position';
import type { RecordChange } from '../../src/core/record-change';
import { PARTS_POLICY, partsSample } from '../support/parts-policy';

const POLICY = inForce(partsSample(PARTS_POLICY).policy);

/** A link's life, told in changes. */
class Story {
	state: LinkState = emptyLink('l', 'customer', 1);
	#lsn = 0n;

	see(system: string, change: Partial<RecordChange>): string {
		this.#lsn += 16n;
		const position = positionOf(this.#lsn, 0);
		const key = system === 'crm' ? { id: '1' } : { no: '9' };
		const seen = observe(
			this.state,
			{
				system, entity: 'customer', position, firstPosition: position, tsMs: 0, key, previousKey: null,
				exists: true, columns: {}, unchanged: [], marker: null, forged: false, snapshot: false, ...change,
			},
			POLICY,
		);
		this.state = seen.state;
		return seen.disposition;
	}

	/** The target did what an operation says, and its log shows these columns. */
	applied(op: Operation, change: Partial<RecordChange>): string {
		const { id, link, system, entity, key } = op;
		const marker = { op: id, link, system, entity, outcome: 'applied' as const, key, mac: '' };
		return this.see(system, { ...change, marker });
	}

	part(change: Partial<RecordChange>): string {
		return this.see('crm', { rowStays: true, ...change });
	}

	decide(): readonly Operation[] {
		const { state, ops } = decide(this.state, POLICY, 'live');
		this.state = state;
		return ops;
	}

	view(field: string): unknown {
		return this.state.fields[field]?.views['crm']?.raw;
	}
}

/** A record of both systems, at rest, whose address is not there in crm. */
function linked(city: string | null = null): Story {
	const story = new Story();
	story.see('crm', { columns: { ref: 'A', name: 'Ann' } });
	story.see('billing', { columns: { ref: 'A', name: 'Ann', city, zip: null } });
	return story;
}

test('a part’s row makes no record, and ends none', () => {
	const story = new Story();
	expect(story.part({ columns: { 'address.city': 'Ulm' } })).toBe('unchanged');
	expect(story.state.fields['city']?.views).toBeUndefined();
	expect(story.state.keys).toEqual({});
	story.see('crm', { columns: { ref: 'A', name: 'Ann' } });
	expect(story.part({ missing: ['address'] })).toBe('unchanged');
	expect(story.state.fields[EXISTENCE]?.views['crm']?.canon).toBe(true);
});

test('a part that never had a row says nothing; one that has lost it says null', () => {
	const story = linked();
	story.part({ missing: ['address'] });
	expect(story.view('city')).toBeUndefined();
	expect(story.part({ columns: { 'address.city': 'Ulm', 'address.zip': '1' } })).toBe('foreign');
	expect(story.part({ missing: ['address'] })).toBe('foreign');
	expect([story.view('city'), story.view('zip')]).toEqual([null, null]);
	expect(story.part({ missing: ['address'] })).toBe('unchanged');
});

test('an edit of a part is an edit of the record', () => {
	const story = linked('Ulm');
	story.part({ columns: { 'address.city': 'Ulm', 'address.zip': null } });
	expect(story.decide()).toEqual([]);
	story.part({ columns: { 'address.city': 'Bonn', 'address.zip': null } });
	expect(story.decide()).toMatchObject([{ system: 'billing', kind: 'update', fields: { city: { expected: 'Ulm', next: 'Bonn' } } }]);
});

test('a value goes to a part that has no row, and nothing is expected there', () => {
	const story = linked('Bonn');
	const [op] = story.decide();
	expect(op).toMatchObject({ system: 'crm', kind: 'update', fields: { city: { next: 'Bonn' } } });
	expect(op?.fields['city']).not.toHaveProperty('expected');
	expect(op?.fields).not.toHaveProperty('zip');
	if (!op) return;
	expect(story.applied(op, { rowStays: true, columns: { 'address.city': 'Bonn', 'address.zip': 'none' } })).toBe('echo');
	expect(story.state.inFlight).toEqual({});
	expect(story.view('city')).toBe('Bonn');
});

test('what a new part’s row holds by default is nobody’s edit', () => {
	const story = linked('Bonn');
	const [op] = story.decide();
	if (op) story.applied(op, { rowStays: true, columns: { 'address.city': 'Bonn', 'address.zip': '00000' } });
	expect(story.state.fields['zip']?.views['crm']).toMatchObject({ raw: '00000', defaulted: true, vector: {} });
	expect(story.decide()).toMatchObject([{ system: 'crm', fields: { zip: { expected: '00000', next: null } } }]);
});

test('a link stays due while a part’s row is to be made, and nothing else is', () => {
	const story = linked('Bonn');
	const [op] = story.decide();
	const marker = { op: op?.id ?? '', link: 'l', system: 'crm', entity: 'customer', outcome: 'stale' as const, key: { id: '1' }, mac: '' };
	story.see('crm', { exists: null, marker });
	expect(isDue(story.state, POLICY, 'live')).toBe(true);
	expect(story.decide()).toMatchObject([{ system: 'crm', number: 2, fields: { city: { next: 'Bonn' } } }]);
});

test('an empty field does not make a row', () => {
	const story = linked();
	expect(story.decide()).toEqual([]);
	expect(isDue(story.state, POLICY, 'live')).toBe(false);
});

test('a delete that comes with edits of parts ends the record', () => {
	const story = linked('Ulm');
	story.part({ columns: { 'address.city': 'Ulm', 'address.zip': null } });
	story.decide();
	expect(story.see('crm', { exists: false })).toBe('foreign');
	expect(story.part({ missing: ['address'] })).toBe('unchanged');
	expect(story.decide()).toMatchObject([{ system: 'billing', kind: 'delete' }]);
});
