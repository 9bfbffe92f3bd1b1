import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server, and can do to their connections what networks do. */
export interface TcpRelay {
	readonly port: number;
	/**
	 * As a firewall does that has forgotten them: nothing passes the connections that are open, and
	 * nothing closes them. Later ones are not concerned.
	 */
	fallSilent(): void;
	/** Closes all connections at once, on both sides; new ones are taken. */
	cut(): void;
	/** Connections that are made from now on go to this port, as an address does that was moved to another server. */
	leadTo(port: number): void;
	/** Everything that arrives from now on is held back for so long; 0: no more. */
	delayBy(ms: number): void;
	/** Cuts all connections and takes no new ones. */
	close(): Promise<void>;
	/** Takes connections again, at the same port. */
	reopen(): Promise<void>;
}

interface Connection {
	readonly client: Socket;
	readonly target: Socket;
	isSilent: boolean;
}

/** @param port - of the server, on this machine */
export async function openTcpRelay(port: number): Promise<TcpRelay> {
	const connections = new Set<Connection>();
	let delayMs = 0;
	let targetPort = port;
	// Half-open: one end says that it is done, and whether the other one hears of it is for us to say.
	const server = createServer({ allowHalfOpen: true }, (client) => {
		const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
		const connection = { client, target, isSilent: false };
		connections.add(connection);
		join(connection, {
			delayMs: () => delayMs,
			onClose: () => connections.delete(connection),
		});
	});
	const cut = (): void => {
		for (const { client, target } of connections) {
			client.destroy();
			target.destroy();
		}
	};
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port: ownPort } = server.address() as AddressInfo;
	return {
		port: ownPort,
		fallSilent() {
			for (const connection of connections) connection.isSilent = true;
		},
		cut,
		leadTo(port) {
			targetPort = port;
		},
		delayBy(ms) {
			delayMs = ms;
		},
		async close() {
			cut();
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

interface Conditions {
	readonly delayMs: () => number;
	readonly onClose: () => void;
}

/** Passes everything on, also the end: a server must notice when its client is gone, and the other way round. */
function join(connection: Connection, { delayMs, onClose }: Conditions): void {
	const { client, target } = connection;
	for (const [from, to] of [[client, target], [target, client]] as const) {
		const later = inOrder(delayMs);
		from.on('error', () => undefined);
		from.on('data', (bytes) => {
			if (!connection.isSilent) later(() => pass(from, to, bytes));
		});
		from.on('end', () => {
			if (!connection.isSilent) later(() => to.end());
		});
		from.on('close', (hadError) => {
			if (connection.isSilent) return;
			if (hadError) to.destroy();
			if (to.destroyed) onClose();
		});
	}
}

/** Does one thing after the other, each when the delay is over that held when it came up. */
function inOrder(delayMs: () => number): (act: () => void) => void {
	const waiting: (() => void)[] = [];
	let freeMs = 0;
	return (act) => {
		const nowMs = performance.now();
		freeMs = Math.max(freeMs, nowMs + delayMs());
		if (waiting.length === 0 && freeMs <= nowMs) {
			act();
			return;
		}
		waiting.push(act);
		setTimeout(() => waiting.shift()?.(), freeMs - nowMs);
	};
}

function pass(from: Socket, to: Socket, bytes: Buffer): void {
	if (to.destroyed || to.write(bytes)) return;
	from.pause();
	to.once('drain', () => from.resume());
}
