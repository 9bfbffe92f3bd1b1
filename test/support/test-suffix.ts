/** What a test file may need besides Node; its suffix says so. */
export type TestNeed = 'pg' | 'redis' | 'e2e';

/**
 * Throws when the running test file's suffix does not admit `need`.
 *
 * A `.test.ts` that quietly starts a database would be slow for everybody who expects it not to be.
 * An `.e2e.test.ts` may use everything. Outside jest (demo, bench) nothing is checked.
 */
export function assertSuffixAdmits(need: TestNeed): void {
	const path = typeof expect === 'undefined' ? undefined : expect.getState().testPath;
	if (path === undefined) return;
	const name = path.slice(path.lastIndexOf('/') + 1);
	const needs = name.split('.').slice(1, -2);
	if (needs.includes(need) || needs.includes('e2e')) return;
	throw new Error(
		`${name} uses ${need}: name it ${name.replace(/\.test\.ts$/, `.${need}.test.ts`)}`,
	);
}
