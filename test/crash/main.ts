import '../rehearse/typescript-first';

import { closeOnExit, runClosing } from '../../demo/closing';
import { runCampaign } from './run-campaign';
import { readOptions, USAGE } from './options';

async function main(words: readonly string[]): Promise<void> {
	const options = readOptions(words);
	if (options === null) {
		console.log(USAGE);
		process.exitCode = 2;
		return;
	}
	const isFine = await runCampaign(options, { say: (text) => console.log(text), closeLater: closeOnExit });
	if (!isFine) process.exitCode = 1;
}

void runClosing(async () => await main(process.argv.slice(2)));
