import pg from 'pg';

import { PostgresStore } from '../../src/store/postgres-store';
import { type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { describeLoss } from './contract/loss-contract';

let server: PostgresServer;
beforeAll(async () => {
	server = await startPostgres({ version: 18 });
});
afterAll(() => server.stop());

let schemas = 0;

describeLoss('PostgresStore', async () => {
	const schema = `loss_${schemas++}`;
	const clients: PostgresStore[] = [];
	const another = async () => {
		const store = new PostgresStore(new pg.Pool({ ...server.superuser, max: 3 }), { schema });
		clients.push(store);
		return store;
	};
	return {
		store: await another(),
		another,
		restart: async () => {
			await server.kill();
			await server.restart();
		},
		lose: async () => {
			const client = new pg.Client(server.superuser);
			await client.connect();
			await client.query(`drop schema ${schema} cascade`);
			await client.end();
		},
		close: async () => {
			await Promise.all(clients.map((each) => each.close()));
		},
	};
});
