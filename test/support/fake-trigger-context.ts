import type { ICredentialDataDecryptedObject, ITriggerFunctions } from 'n8n-workflow';

import type { ConnectionSettings } from './embedded-postgres';
import type { FakeN8n } from './fake-n8n';

/** What n8n hands to a trigger node's `trigger`. */
export interface FakeTriggerContext {
	readonly parameters: Record<string, unknown>;
	/** By credential type. */
	readonly credentials: Readonly<Record<string, ICredentialDataDecryptedObject>>;
	/** Default `trigger`. */
	readonly mode?: 'trigger' | 'manual';
	/** Default `activate`. */
	readonly activation?: 'activate' | 'init';
	/** What n8n keeps with the workflow; default: nothing. */
	readonly staticData?: Record<string, unknown>;
}

export function fakeTriggerContext(n8n: FakeN8n, context: FakeTriggerContext): ITriggerFunctions {
	const { parameters, credentials, mode = 'trigger', activation = 'activate', staticData = {} } = context;
	const known = {
		getNodeParameter: (name: string) => parameters[name],
		getCredentials: async (type: string) => {
			const data = credentials[type];
			if (!data) throw new Error(`Node does not have any credentials set for ${type}`);
			return data;
		},
		getMode: () => mode,
		getActivationMode: () => activation,
		getWorkflowStaticData: () => staticData,
		getNode: () => ({ name: 'Postgres CDC Trigger', type: 'postgresCdcTrigger' }),
	};
	return Object.assign(Object.create(n8n) as object, known) as unknown as ITriggerFunctions;
}

/** A credential of the type `bisyncPostgresApi`. */
export function replicationCredential(
	settings: ConnectionSettings,
): ICredentialDataDecryptedObject {
	return { ...settings, ssl: 'disable' };
}

/** A credential of the type `bisyncStoreApi`. */
export function storeCredential(
	settings: ConnectionSettings,
	schema: string,
): ICredentialDataDecryptedObject {
	return { ...settings, ssl: 'disable', backend: 'postgres', schema, maxConnections: 3 };
}
