import { search, type SearchResult } from './search';
import type { Setup } from './setup';
import { DEEP, FAULTY, GOOD } from './variants';

/**
 * `npm run modelcheck [-- --deep] [--only TEXT]`: searches all small worlds of the model. The
 * protocol as built must pass, every faulty one must be caught; otherwise the exit code is 1.
 */
const MAX_STATES = 3_000_000;
const MAX_STATES_DEEP = 20_000_000;

const words = process.argv.slice(2);
const isDeep = words.includes('--deep');
const only = words.includes('--only') ? (words[words.indexOf('--only') + 1] ?? '') : '';

const isWanted = ({ name }: Setup): boolean => name.includes(only);
const good = [...GOOD, ...(isDeep ? DEEP : [])].filter(isWanted);
const faulty = FAULTY.filter(isWanted);
const width = Math.max(...[...good, ...faulty].map(({ name }) => name.length));

function line({ setup, states, transitions, seconds, verdict }: SearchResult): string {
	const counts = [states.toLocaleString('en'), transitions.toLocaleString('en'), seconds.toFixed(1)];
	const [stateCount = '', transitionCount = '', time = ''] = counts;
	return `${setup.padEnd(width)}  ${stateCount.padStart(10)}  ${transitionCount.padStart(11)}  ${time.padStart(7)}  ${verdict}`;
}

function tell({ problem, timeline }: SearchResult): void {
	console.log(`    ${problem ?? ''}`);
	for (const step of timeline) console.log(`      ${step}`);
}

console.log(`${'variant'.padEnd(width)}  ${'states'.padStart(10)}  transitions  seconds  result`);
let failures = 0;
let explored = 0;
for (const setup of good) {
	const result = search(setup, isDeep ? MAX_STATES_DEEP : MAX_STATES);
	explored += result.states;
	console.log(line(result));
	if (result.verdict === 'OK' || result.verdict === 'BOUND') continue;
	failures += 1;
	tell(result);
}
console.log('\nBuilt wrong, each of these must be caught:');
for (const setup of faulty) {
	const result = search(setup, MAX_STATES);
	console.log(line(result));
	if (result.problem === null) failures += 1;
	else tell(result);
}
const summary = failures === 0 ? 'All as it should be.' : `${failures} not as they should be.`;
console.log(`\n${good.length} variants, ${explored.toLocaleString('en')} states explored. ${summary}`);
process.exitCode = failures === 0 ? 0 : 1;
