const { execFileSync } = require('node:child_process');
const { rmSync } = require('node:fs');
const { dest, series, src } = require('gulp');

/** A file that was renamed must not stay in the package under its old name. */
async function clean() {
	rmSync('dist', { recursive: true, force: true });
}

async function compile() {
	execFileSync('tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' });
}

/** What n8n reads beside a node's code and tsc leaves behind. */
function copyAssets() {
	const assets = ['nodes/**/*.{svg,node.json}', 'credentials/**/*.svg'];
	return src(assets, { base: '.', encoding: false }).pipe(dest('dist'));
}

exports.build = series(clean, compile, copyAssets);
