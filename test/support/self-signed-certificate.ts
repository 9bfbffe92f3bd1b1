import { generateKeyPairSync, sign } from 'node:crypto';

export interface Certificate {
	/** PEM. */
	readonly cert: string;
	/** PEM, PKCS #8. */
	readonly key: string;
}

/**
 * A certificate that is its own authority, valid for one host name, from 2000 to 2049. Made by hand
 * (RFC 5280), because Node can read certificates but not make them.
 */
export function selfSignedCertificate(hostName: string): Certificate {
	const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
	const algorithm = sequence(oid('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256
	const name = sequence(set(sequence(oid('2.5.4.3'), der(0x0c, Buffer.from('test authority')))));
	const validity = sequence(time('000101000000Z'), time('491231000000Z'));
	const extensions = sequence(
		sequence(oid('2.5.29.19'), octets(sequence(der(0x01, Buffer.from([0xff]))))), // CA: true
		sequence(oid('2.5.29.17'), octets(sequence(der(0x82, Buffer.from(hostName))))), // DNS name
	);
	const body = sequence(
		der(0xa0, integer(2)), // Version 3
		integer(1),
		algorithm,
		name,
		validity,
		name,
		publicKey.export({ type: 'spki', format: 'der' }),
		der(0xa3, extensions),
	);
	const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]));
	return {
		cert: pem('CERTIFICATE', sequence(body, algorithm, signature)),
		key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
	};
}

function der(tag: number, content: Buffer): Buffer {
	const { length } = content;
	if (length < 128) return Buffer.concat([Buffer.from([tag, length]), content]);
	return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const set = (...parts: Buffer[]): Buffer => der(0x31, Buffer.concat(parts));
const octets = (content: Buffer): Buffer => der(0x04, content);
const integer = (value: number): Buffer => der(0x02, Buffer.from([value]));
const time = (text: string): Buffer => der(0x17, Buffer.from(text));

function oid(dotted: string): Buffer {
	const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
	return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
	const bytes = [value & 0x7f];
	for (let left = value >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
	return bytes;
}

function pem(label: string, content: Buffer): string {
	const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
	return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
