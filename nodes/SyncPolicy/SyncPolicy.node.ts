import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { credentialTest } from '../shared/credential-tests';
import { databaseSettings } from '../shared/open-database';
import { withStore } from '../shared/open-store';
import { runNode } from '../shared/run-node';
import { oneOf, secret, text } from '../shared/settings';
import { approve } from './approve-first-contact';
import { firstContactReport, FORMATS } from './first-contact-report';
import { OPERATIONS } from './operations';
import { properties } from './properties';
import { rehearse, REHEARSAL_FORMATS } from './rehearse';
import { lintDocument, publish } from './publish';
import { changeMode, MODES } from './set-mode';
import { describeTables, givenFacts } from './describe-tables';
import { show } from './show';
import { askWhatIf } from './what-if';
import { importEdited, makeSheet, signPolicy, type Subject } from './sign-off';
import { SHEET_FORMATS, SUBJECTS } from './sign-off-properties';

/**
 * The credentials say what hides them: where a field shows one, the editor makes a choice of credentials of it, and takes
 * what that field depends on, here the operation, out of the panel.
 */
const WITHOUT_DATABASE = OPERATIONS.filter((operation) => operation !== 'describeTables');

/** Publishes the document that says who owns each field, and turns its switch. */
export class SyncPolicy implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sync Policy',
		name: 'syncPolicy',
		icon: { light: 'file:syncPolicy.svg', dark: 'file:syncPolicy.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation.replace(/([A-Z])/g, " $1").toLowerCase() }}',
		description:
			'Publishes the policy of a sync, shows what it would do, and turns it on, to shadow or off',
		defaults: { name: 'Sync Policy' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [
			{
				name: 'bisyncStoreApi',
				required: true,
				testedBy: 'testSyncStore',
				displayOptions: { hide: { operation: ['lint', 'describeTables'] } },
			},
			{
				name: 'bisyncPostgresApi',
				required: true,
				testedBy: 'testPostgresReplication',
				displayOptions: { hide: { operation: WITHOUT_DATABASE, connectWith: ['postgres'] } },
			},
			{
				// eslint-disable-next-line @n8n/community-nodes/valid-credential-references, n8n-nodes-base/node-class-description-credentials-name-unsuffixed -- the credential of n8n's own Postgres node
				name: 'postgres',
				required: true,
				displayOptions: {
					hide: { operation: WITHOUT_DATABASE, connectWith: ['bisyncPostgresApi'] },
				},
			},
		],
		properties,
	};

	methods = { credentialTest };

	/** Runs once, whatever the number of items: a policy is published by a person, not by data. */
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const options = { node: 'syncPolicy', outputCount: 1, safeOutput: 0, runsOnEmptyItems: true };
		return await runNode(this, options, async (given) => {
			const operation = oneOf('Operation', this.getNodeParameter('operation', 0), OPERATIONS);
			const found = await runOperation(this, operation, given);
			const items = Array.isArray(found) ? found : [found];
			return [items.map((json) => ({ json, pairedItem: { item: 0 } }))];
		});
	}
}

async function runOperation(
	context: IExecuteFunctions,
	operation: (typeof OPERATIONS)[number],
	given: readonly INodeExecutionData[],
): Promise<IDataObject | IDataObject[]> {
	const read = (name: string): unknown => context.getNodeParameter(name, 0);
	const document = (): string => secret('Document', read('document'));
	const name = (): string => text('Policy', read('policy'));
	const by = (): string => text('By', read('by'));
	if (operation === 'lint') return lintDocument(document(), givenFacts(given));
	if (operation === 'describeTables') {
		const database = await databaseSettings(context, read('connectWith'));
		const system = text('System', read('system'));
		return await describeTables(database, {
			document: document(),
			system,
			given: givenFacts(given),
		});
	}
	const subject = (): Subject =>
		oneOf('Version', read('subject'), SUBJECTS) === 'published' ? { policy: name() } : { document: document() };
	return await withStore(context, async (store) => {
		switch (operation) {
			case 'signOffSheet':
				return await makeSheet(store, subject(), oneOf('Format', read('sheetFormat'), SHEET_FORMATS));
			case 'rehearse':
				return await rehearse(store, subject(), oneOf('Format', read('rehearsalFormat'), REHEARSAL_FORMATS));
			case 'whatIf':
				return await askWhatIf(store, document(), read);
			case 'importSignOff':
				return await importEdited(store, subject(), secret('Sheet', read('sheet')));
			case 'sign':
				return await signPolicy(store, { policy: name(), hash: text('Hash', read('hash')), by: by() });
			case 'publish':
				return await publish(store, { document: document(), by: by() });
			case 'show':
				return await show(store, name());
			case 'firstContactReport':
				return await firstContactReport(store, name(), oneOf('Format', read('format'), FORMATS));
			case 'approveFirstContact':
				return await approve(store, { policy: name(), by: by() });
			case 'setMode':
				return await changeMode(store, name(), oneOf('Mode', read('newMode'), MODES));
		}
	});
}
