import type { INodeExecutionData, IWebhookFunctions } from 'n8n-workflow';

import { answerRequest } from '../../nodes/SyncConsoleTrigger/answer-request';

export interface BrowserReply {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	/** What the workflow was started with. */
	readonly items: readonly INodeExecutionData[];
}

export interface BrowserOptions {
	/** Parameters of the node. */
	readonly parameters?: Readonly<Record<string, unknown>>;
	/** By credential type. */
	readonly credentials: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
	readonly headers?: Readonly<Record<string, string>>;
	readonly address?: string;
}

export const BASIC = { user: 'anna', password: 'correct horse' };

/** Asks the console's node as a browser would, with a plain object in the place of n8n. */
export class FakeBrowser {
	constructor(private readonly options: BrowserOptions) {}

	/** @param address - the query, "?view=reviews" */
	async get(address: string): Promise<BrowserReply> {
		return await this.#ask('setup', address, {});
	}

	async post(address: string, form: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}): Promise<BrowserReply> {
		return await this.#ask('default', address, form, headers);
	}

	async #ask(webhook: string, address: string, form: Readonly<Record<string, unknown>>, more: Readonly<Record<string, string>> = {}): Promise<BrowserReply> {
		const { credentials, address: ip = '10.0.0.1' } = this.options;
		const parameters: Record<string, unknown> = { authentication: 'basicAuth', policy: 'crm-billing', path: 'sync-console', readers: '', personHeader: 'X-Forwarded-User', ...this.options.parameters };
		const headers = Object.fromEntries(Object.entries({ ...this.options.headers, ...more }).map(([name, value]) => [name.toLowerCase(), value]));
		const reply = { status: 0, headers: {} as Record<string, string>, body: '' };
		const response = {
			status: (code: number) => {
				reply.status = code;
				return response;
			},
			set: (set: Record<string, string>) => {
				Object.assign(reply.headers, set);
				return response;
			},
			send: (body: string) => (reply.body = body),
		};
		const context = {
			getNodeParameter: (name: string, fallback?: unknown) => parameters[name] ?? fallback,
			getCredentials: async (type: string) => credentials[type],
			getQueryData: () => Object.fromEntries(new URLSearchParams(address)),
			getBodyData: () => form,
			getHeaderData: () => headers,
			getRequestObject: () => ({ ip }),
			getResponseObject: () => response,
			getWebhookName: () => webhook,
			getTimezone: () => 'Europe/Berlin',
			logger: { error: () => undefined },
		};
		const { workflowData } = await answerRequest(context as unknown as IWebhookFunctions);
		return { ...reply, items: workflowData?.[0] ?? [] };
	}
}

export const basicHeader = ({ user, password }: { user: string; password: string }): Record<string, string> => ({
	authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** The hidden inputs of each form of a page, by the value of `choice` (and of `system`). */
export function formsOf(body: string): Map<string, Record<string, string>> {
	const forms = [...body.matchAll(/<form method="post"[^>]*>(.*?)<\/form>/gs)].map(([, inner = '']) =>
		Object.fromEntries([...inner.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, unescaped(value)])),
	);
	return new Map(forms.map((form) => [[form['choice'], form['system']].filter(Boolean).join(' '), form]));
}

const unescaped = (text: string): string => text.replace(/&#39;/g, "'").replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&#96;/g, '`').replace(/&amp;/g, '&');
