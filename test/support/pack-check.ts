/** `npm run pack:check`: builds, then looks at what `npm publish` would send. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packProblems, type PackedFile } from './pack-problems';

interface Manifest {
	readonly n8n: { readonly nodes: readonly string[]; readonly credentials: readonly string[] };
}

const ROOT = join(__dirname, '..', '..');

function pack(): readonly PackedFile[] {
	const output = execFileSync('npm', ['pack', '--dry-run', '--json'], {
		cwd: ROOT,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	const [tarball] = JSON.parse(output) as [{ readonly files: readonly PackedFile[] }];
	return tarball.files;
}

function main(): void {
	execFileSync('gulp', ['build', '--silent'], { cwd: ROOT, stdio: 'inherit' });
	const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
	const files = pack();
	const problems = packProblems(files, [...manifest.n8n.nodes, ...manifest.n8n.credentials]);
	for (const problem of problems) console.error(problem);
	const bytes = files.reduce((sum, file) => sum + file.size, 0);
	console.log(`${files.length} files, ${Math.ceil(bytes / 1024)} kB unpacked`);
	process.exitCode = problems.length === 0 ? 0 : 1;
}

main();
