import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server, and can fall silent as a firewall does: nothing passes, nothing closes. */
export interface TcpRelay {
	readonly port: number;
	fallSilent(): void;
	/** Cuts all connections and takes no new ones. */
	close(): Promise<void>;
	/** Takes connections again, at the same port. */
	reopen(): Promise<void>;
}

export async function openTcpRelay(port: number): Promise<TcpRelay> {
	const sockets: Socket[] = [];
	const server = createServer((client) => {
		const target = connect(port, '127.0.0.1');
		for (const socket of [client, target]) socket.on('error', () => undefined);
		sockets.push(client, target);
		client.pipe(target);
		target.pipe(client);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port: ownPort } = server.address() as AddressInfo;
	return {
		port: ownPort,
		fallSilent() {
			for (const socket of sockets) {
				socket.unpipe();
				socket.resume();
			}
		},
		async close() {
			for (const socket of sockets) socket.destroy();
			if (!server.listening) return;
			server.close();
			await once(server, 'close');
		},
		async reopen() {
			server.listen(ownPort, '127.0.0.1');
			await once(server, 'listening');
		},
	};
}
