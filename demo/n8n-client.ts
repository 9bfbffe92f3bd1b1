import { randomUUID } from 'node:crypto';

/** The account that owns the throw-away n8n. */
export interface Owner {
	readonly email: string;
	readonly password: string;
}

/** A workflow as n8n exports it. */
export interface WorkflowJson {
	readonly name: string;
	readonly nodes: readonly WorkflowNode[];
	readonly connections: Readonly<Record<string, unknown>>;
	readonly settings: Readonly<Record<string, unknown>>;
	/** What nodes give out in manual runs instead of running. */
	readonly pinData?: Readonly<Record<string, readonly unknown[]>>;
}

export interface WorkflowNode {
	readonly id: string;
	readonly name: string;
	readonly type: string;
	readonly typeVersion: number;
	readonly position: readonly [number, number];
	readonly parameters: Readonly<Record<string, unknown>>;
	readonly credentials?: Readonly<
		Record<string, { readonly id: string | null; readonly name: string }>
	>;
	readonly disabled?: boolean;
}

export interface StoredWorkflow extends WorkflowJson {
	readonly id: string;
	readonly versionId: string;
}

export interface NewCredential {
	readonly name: string;
	readonly type: string;
	readonly data: Readonly<Record<string, unknown>>;
}

/** How far n8n is with starting the triggers of an activated workflow. */
export interface PublicationStatus {
	readonly status: 'in_progress' | 'not_published' | 'published' | 'partial' | 'failed';
	readonly triggers: readonly {
		readonly nodeId: string;
		readonly status: string;
		readonly errorMessage: string | null;
	}[];
}

/** n8n's own REST interface, as its editor uses it: a session with a cookie. */
export class N8nClient {
	readonly #browserId = randomUUID();
	#cookie = '';

	constructor(private readonly url: string) {}

	/** Makes the first account and signs in as it. */
	async signUp({ email, password }: Owner): Promise<void> {
		await this.request('POST', '/rest/owner/setup', {
			email,
			password,
			firstName: 'Demo',
			lastName: 'Owner',
		});
	}

	async signIn({ email, password }: Owner): Promise<void> {
		await this.request('POST', '/rest/login', { emailOrLdapLoginId: email, password });
	}

	async createCredential(credential: NewCredential): Promise<string> {
		const { id } = await this.request<{ id: string }>('POST', '/rest/credentials', credential);
		return id;
	}

	/** What the button "Test" of a credential says. */
	async testCredential(
		credential: NewCredential & { readonly id: string },
	): Promise<{ status: string; message: string }> {
		return await this.request('POST', '/rest/credentials/test', { credentials: credential });
	}

	async createWorkflow(workflow: WorkflowJson): Promise<StoredWorkflow> {
		return await this.request('POST', '/rest/workflows', workflow);
	}

	async readWorkflow(id: string): Promise<StoredWorkflow> {
		return await this.request('GET', `/rest/workflows/${id}`);
	}

	/** Asks for activation; n8n starts the triggers afterwards, see {@link publicationStatus}. */
	async activate(id: string): Promise<void> {
		const { versionId } = await this.readWorkflow(id);
		await this.request('POST', `/rest/workflows/${id}/activate`, { versionId });
	}

	async deactivate(id: string): Promise<void> {
		await this.request('POST', `/rest/workflows/${id}/deactivate`, {});
	}

	async publicationStatus(id: string): Promise<PublicationStatus> {
		return await this.request('GET', `/rest/workflows/${id}/publication-status`);
	}

	/** Runs a workflow from one of its triggers, as the button in the editor does. @returns the execution's id */
	async run(workflowId: string, trigger: string): Promise<string> {
		const body = { triggerToStartFrom: { name: trigger } };
		const { executionId } = await this.request<{ executionId: string }>(
			'POST',
			`/rest/workflows/${workflowId}/run`,
			body,
		);
		return executionId;
	}

	/** An execution as n8n stored it; `data` is in the form that `parseFlatted` reads. */
	async readExecution(id: string): Promise<{ readonly status: string; readonly data: string }> {
		return await this.request('GET', `/rest/executions/${id}`);
	}

	/** @returns the names of all node types that n8n has loaded, such as "n8n-nodes-bisync.echoFilter". */
	async nodeTypes(): Promise<readonly string[]> {
		const response = await fetch(`${this.url}/types/nodes.json`, {
			headers: { cookie: this.#cookie },
		});
		return ((await response.json()) as readonly { name: string }[]).map(({ name }) => name);
	}

	/** @throws Error with n8n's message */
	async request<T>(method: string, path: string, body?: unknown): Promise<T> {
		const response = await fetch(`${this.url}${path}`, {
			method,
			headers: {
				'content-type': 'application/json',
				'browser-id': this.#browserId,
				cookie: this.#cookie,
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		const [cookie] = response.headers.getSetCookie();
		if (cookie !== undefined) this.#cookie = cookie.split(';')[0] ?? '';
		const answer = (await response.json()) as { data: T; message?: string };
		if (response.ok) return answer.data;
		throw new Error(
			`${method} ${path} was answered with ${response.status}: ${answer.message ?? 'no message'}`,
		);
	}
}
