import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

import { openTcpRelay, type TcpRelay } from './tcp-relay';

let server: Server;
let relay: TcpRelay;
let atServer: Socket[];

beforeEach(async () => {
	atServer = [];
	server = createServer((socket) => {
		atServer.push(socket.on('error', () => undefined));
		socket.on('data', (bytes) => socket.write(bytes));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	relay = await openTcpRelay((server.address() as AddressInfo).port);
});
afterEach(async () => {
	await relay.close();
	for (const socket of atServer) socket.destroy();
	server.close();
});

async function client(): Promise<Socket> {
	const socket = connect(relay.port, '127.0.0.1');
	socket.on('error', () => undefined);
	await once(socket, 'connect');
	return socket;
}

async function echo(socket: Socket, text: string): Promise<string> {
	socket.write(text);
	let heard = '';
	while (heard.length < text.length) {
		const [bytes] = (await once(socket, 'data')) as [Buffer];
		heard += bytes.toString();
	}
	return heard;
}

test('what is sent arrives at both ends', async () => {
	const socket = await client();
	expect(await echo(socket, 'hello')).toBe('hello');
	socket.destroy();
});

test('a delay holds back and keeps the order, also when it ends', async () => {
	const socket = await client();
	relay.delayBy(60);
	const startedMs = performance.now();
	const first = echo(socket, 'one two three');
	await first;
	expect(performance.now() - startedMs).toBeGreaterThan(100);
	relay.delayBy(30);
	socket.write('four ');
	relay.delayBy(0);
	expect(await echo(socket, 'five')).toContain('four');
	socket.destroy();
});

test('a cut ends the connections at both ends, and new ones are taken', async () => {
	const socket = await client();
	await echo(socket, 'hello');
	const ends = Promise.all([once(socket, 'close'), once(atServer[0] as Socket, 'close')]);
	relay.cut();
	await ends;
	const next = await client();
	expect(await echo(next, 'again')).toBe('again');
	next.destroy();
});

test('a server hears that its client has gone', async () => {
	const socket = await client();
	await echo(socket, 'hello');
	const end = once(atServer[0] as Socket, 'close');
	socket.resetAndDestroy();
	await end;
	expect(atServer[0]?.destroyed).toBe(true);
});

test('a connection that has fallen silent passes and closes nothing, and later ones work', async () => {
	const silent = await client();
	await echo(silent, 'hello');
	relay.fallSilent();
	silent.write('anybody there?');
	const next = await client();
	expect(await echo(next, 'hello')).toBe('hello');
	silent.end();
	expect(await echo(next, 'hello')).toBe('hello');
	expect(silent.readableEnded).toBe(false);
	expect(atServer[0]?.destroyed).toBe(false);
	next.destroy();
});
