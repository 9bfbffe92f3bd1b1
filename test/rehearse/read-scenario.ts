import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

import { type Document, isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';

import { checkNames } from './check-names';
import { parseYaml, changedDocument, policyVersion, type PolicyVersion } from './policy-version';
import { type NumberedStep, type Scenario, scenarioShape } from './scenario';
import { anyOf, ScenarioError } from './scenario-error';
import { BARE_STEPS, isStepName, type Step, STEPS } from './steps';
import { problemsOf } from './zod-problems';

/**
 * Reads a scenario and checks all of it before any of it runs.
 *
 * @throws ScenarioError that names the file, the step and the line, and the words that are allowed
 */
export function readScenario(file: string): Scenario {
	return parseScenario(readFileSync(file, 'utf8'), file);
}

/** @param file - for messages, and as the place that a policy's path starts from */
export function parseScenario(text: string, file: string): Scenario {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines });
	const [wrong] = document.errors;
	if (wrong) throw problem(file, wrong.linePos?.[0].line ?? 1, wrong.message.split('\n')[0] ?? '');
	const parsed = scenarioShape.safeParse(document.toJS());
	if (!parsed.success) {
		throw problem(file, 1, problemsOf(parsed.error, scenarioShape).join('; '));
	}
	const { name, polled, setup, given, steps: found } = parsed.data;
	const policy = located(file, 1, () => readPolicy(parsed.data.policy, file));
	const lineOf = (index: number): number => lineOfStep(document, lines, index);
	const steps = readSteps(found, { file, policy, lineOf });
	const scenario: Scenario = {
		file,
		name,
		policy,
		polled,
		setup: Object.fromEntries(Object.entries(setup).map(([system, sql]) => [system, [sql].flat()])),
		given,
		steps,
	};
	checkNames(scenario, (line, what) => problem(file, line, what));
	return scenario;
}

interface StepsContext {
	readonly file: string;
	readonly policy: PolicyVersion;
	readonly lineOf: (index: number) => number;
}

function readSteps(found: readonly unknown[], { file, policy: first, lineOf }: StepsContext): NumberedStep[] {
	let current = first;
	return found.map((value, index): NumberedStep => {
		const number = index + 1;
		const line = lineOf(index);
		const step = readStep(value, (what) => problem(file, line, `step ${number}${what}`));
		if (step.name !== 'policy') return { number, line, step, policy: null };
		const { document } = current;
		current = located(file, line, () => policyVersion(changedDocument(document, step.given)));
		if (current.policy.name !== first.policy.name || current.policy.systems.join() !== first.policy.systems.join()) {
			throw problem(file, line, `step ${number} (policy): the name and the systems of the policy cannot change`);
		}
		return { number, line, step, policy: current };
	});
}

function readStep(value: unknown, fail: (what: string) => ScenarioError): Step {
	const entries = typeof value === 'string' ? [[value, undefined] as const] : entriesOf(value);
	const [entry, ...others] = entries;
	if (entry === undefined || others.length > 0) {
		throw fail(`: a step is one of ${anyOf(Object.keys(STEPS))}, with what it is given, as in "- sql: { crm: … }"`);
	}
	const [name, given] = entry;
	if (!isStepName(name)) throw fail(`: there is no step "${name}"; there are ${anyOf(Object.keys(STEPS))}`);
	const isBare = given === undefined || given === null;
	if (isBare && !BARE_STEPS.includes(name)) throw fail(` (${name}): says nothing about what to do`);
	const parsed = STEPS[name].safeParse(isBare ? {} : given);
	if (!parsed.success) throw fail(` (${name}): ${problemsOf(parsed.error, STEPS[name]).join('; ')}`);
	return { name, given: parsed.data } as Step;
}

function entriesOf(value: unknown): (readonly [string, unknown])[] {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function readPolicy(given: string | Record<string, unknown>, file: string): PolicyVersion {
	if (typeof given !== 'string') return policyVersion(given as never);
	return readPolicyFile(resolve(dirname(file), given), given);
}

/** @throws ScenarioError saying what is wrong with the file, called `name` in it */
export function readPolicyFile(path: string, name = path): PolicyVersion {
	try {
		return policyVersion(parseYaml(readFileSync(path, 'utf8')));
	} catch (error) {
		if (error instanceof ScenarioError) throw new ScenarioError(`the policy ${name} ${error.message}`, { cause: error });
		throw new ScenarioError(`the policy ${name} cannot be read: ${String(error)}`, { cause: error });
	}
}

function lineOfStep(document: Document, lines: LineCounter, index: number): number {
	const steps = isMap(document.contents) ? document.contents.get('steps', true) : undefined;
	const step = isSeq(steps) ? steps.items[index] : undefined;
	return isNode(step) && step.range ? lines.linePos(step.range[0]).line : 1;
}

function located<T>(file: string, line: number, work: () => T): T {
	try {
		return work();
	} catch (error) {
		if (error instanceof ScenarioError) throw problem(file, line, error.message);
		throw error;
	}
}

const problem = (file: string, line: number, what: string): ScenarioError =>
	new ScenarioError(`${basename(file)}:${line}: ${what}`);
