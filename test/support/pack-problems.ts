/** A file of the tarball, as `npm pack --json` lists it; `size` in bytes. */
export interface PackedFile {
	readonly path: string;
	readonly size: number;
}

/** What npm adds by itself, and the folders that users need. */
const WELCOME =
	/^(dist\/(src|nodes|credentials)\/|templates\/|(package\.json|README\.md|LICENSE\.md|CHANGELOG\.md)$)/;
const TEST_CODE = /(^|\/)test\/|\.test\./;
const LARGEST_BYTES = 5 * 1024 * 1024;

/**
 * @param entryPoints - The files that package.json tells n8n to load.
 * @returns one sentence per problem.
 */
export function packProblems(
	files: readonly PackedFile[],
	entryPoints: readonly string[],
): readonly string[] {
	const paths = new Set(files.map(({ path }) => path));
	const bytes = files.reduce((sum, { size }) => sum + size, 0);
	const wanted = [...entryPoints, ...entryPoints.flatMap(besideNode), 'LICENSE.md', 'README.md'];
	return [
		...wanted.filter((path) => !paths.has(path)).map((path) => `${path} is missing`),
		...[...paths].filter((path) => !WELCOME.test(path)).map((path) => `${path} does not belong in`),
		...[...paths].filter((path) => TEST_CODE.test(path)).map((path) => `${path} is test code`),
		...(bytes > LARGEST_BYTES ? [`${bytes} bytes are too many`] : []),
		...(entryPoints.length === 0 ? ['package.json names no node'] : []),
	];
}

/** n8n reads a node's categories and search words from the file beside it. */
function besideNode(entryPoint: string): string[] {
	return entryPoint.endsWith('.node.js') ? [entryPoint.replace(/\.js$/, '.json')] : [];
}
