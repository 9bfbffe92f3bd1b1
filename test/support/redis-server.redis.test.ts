import { once } from 'node:events';
import { connect } from 'node:net';

import Redis from 'ioredis';

import { startRedis } from './redis-server';

test('a Redis server answers commands until it is stopped', async () => {
	const server = await startRedis();
	const client = new Redis({ host: server.host, port: server.port });
	try {
		expect(await client.eval('return ARGV[1]', 0, 'lua works')).toBe('lua works');
	} finally {
		client.disconnect();
		await server.stop();
	}
	await expect(once(connect(server.port, server.host), 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('two servers do not meet', async () => {
	const [a, b] = await Promise.all([startRedis(), startRedis()]);
	expect(a.port).not.toBe(b.port);
	await Promise.all([a.stop(), b.stop()]);
});
