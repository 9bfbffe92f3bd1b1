import { canonicalJson, type Json } from '../src/core/canonical-json';
import { OUTCOMES } from '../src/core/marker';
import type { Operation } from '../src/core/link';
import { parsePolicy } from '../src/core/parse-policy';
import { demand, type Checklist } from './checklist';
import { replayJournal } from './journaled-ops';
import { readTemplate } from './install-pack';
import type { SyncInN8n } from './start-sync';
import { waitUntilSettled } from './store-facts';
import type { Witness, WitnessedWrite } from './witness';

/** What somebody saw who read both logs beside the sync, held against the sync's own journal. */
export async function tellWitness(
	{ databases }: SyncInN8n,
	checks: Checklist,
	witness: Witness,
): Promise<void> {
	await waitUntilSettled(databases);
	let operations: ReadonlyMap<string, Operation> = new Map();
	await checks.check('replaying the journal leads to the stored states', async () => {
		const replayed = await replayJournal(databases);
		({ operations } = replayed);
		const { links, unfaithful } = replayed;
		const sample = unfaithful.slice(0, 3).join(', ');
		demand(
			unfaithful.length === 0,
			`${unfaithful.length} of ${links} links end in another state: ${sample}`,
		);
		return `${links} links, ${operations.size} operations`;
	});
	await checks.check(
		'a witness of both logs: each write found what it expected, and happened once',
		async () => {
			const writes = await witness.testify();
			const problems = await findProblems(writes, operations);
			demand(
				problems.length === 0,
				`${problems.length} problems: ${problems.slice(0, 3).join('; ')}`,
			);
			const counts = OUTCOMES.map((outcome) => ({
				outcome,
				count: writes.filter(({ marker }) => marker.outcome === outcome).length,
			}));
			const words = counts
				.filter(({ count }) => count > 0)
				.map(({ outcome, count }) => `${count} ${outcome}`);
			return `${writes.length} marked writes: ${words.join(', ')}`;
		},
	);
}

type Columns = (system: string, field: string) => string;

async function findProblems(
	writes: readonly WitnessedWrite[],
	operations: ReadonlyMap<string, Operation>,
): Promise<string[]> {
	const columns = await policyColumns();
	const marked = new Set<string>();
	return writes.flatMap((write) => {
		const { op: id } = write.marker;
		const op = operations.get(id);
		const twice = marked.has(id);
		marked.add(id);
		if (twice) return [`${id} was marked twice`];
		if (!op) return [`${id} is not in the journal`];
		if (write.marker.outcome === 'applied') return overwritten(write, op, columns);
		const wrote = write.before !== null || write.after !== null;
		return wrote ? [`${id} wrote although it was ${write.marker.outcome}`] : [];
	});
}

/** Fields in which the row, before the write, did not hold what the operation expected. */
function overwritten(
	{ before, after, system }: WitnessedWrite,
	op: Operation,
	columns: Columns,
): string[] {
	const found = { insert: [false, true], update: [true, true], delete: [true, false] }[op.kind];
	if ((before !== null) !== found[0] || (after !== null) !== found[1]) {
		return [`${op.id} is an ${op.kind}, and its row is not`];
	}
	if (before === null) return [];
	return Object.entries(op.fields)
		.filter(([field, { expected }]) => !isSame(before[columns(system, field)], expected))
		.map(([field]) => `${op.id} overwrote another value of ${field} than it expected`);
}

function isSame(left: Json | undefined, right: Json | undefined): boolean {
	return left !== undefined && right !== undefined && canonicalJson(left) === canonicalJson(right);
}

async function policyColumns(): Promise<Columns> {
	const { nodes } = await readTemplate('setup-policy.json');
	const document = nodes.find(({ name }) => name === 'Publish')?.parameters['document'];
	const customer = parsePolicy(String(document)).entities.get('customer');
	return (system, field) => customer?.fields.get(field)?.columns.get(system)?.column ?? field;
}
