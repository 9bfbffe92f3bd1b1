import { readReply } from '../../../nodes/SyncWrite/http-reply';

const reply = (error: unknown, status: unknown = undefined, headers: unknown = undefined) => readReply({ status, headers, error });

test('an answer has its status and headers', () => {
	expect(reply(undefined, 412, { etag: '"2"', 'content-length': 3, list: ['a'] })).toEqual({ status: 412, headers: { etag: '"2"', 'content-length': '3' } });
	expect(reply('', '204', null)).toEqual({ status: 204, headers: {} });
});

test.each([
	[{ message: '429 - {"error":"slow down"}', name: 'AxiosError', code: 'ERR_BAD_REQUEST', status: 429 }, 429],
	[{ message: 'Request failed with status code 503', name: 'AxiosError' }, 503],
	[{ message: 'The service refused', httpCode: '422' }, 422],
	[{ message: 'x', response: { status: 409, headers: { 'retry-after': '1' } } }, 409],
	[{ message: '404 - "no"' }, 404],
])('an error of the HTTP Request node may hold one: %j', (error, status) => {
	expect(reply(error).status).toBe(status);
});

test.each([
	[{ message: 'connect ECONNREFUSED 127.0.0.1:1', code: 'ECONNREFUSED' }, 'ECONNREFUSED'],
	[{ message: 'timeout of 300000ms exceeded', code: 'ECONNABORTED' }, 'ECONNABORTED'],
	[{ message: 'socket hang up', cause: { code: 'ECONNRESET' } }, 'ECONNRESET'],
	[{ message: 'The connection timed out', description: 'ETIMEDOUT' }, 'ETIMEDOUT'],
	[{ message: 'certificate has expired', code: 'CERT_HAS_EXPIRED' }, 'CERT_HAS_EXPIRED'],
	[{ message: 'something else' }, undefined],
	['getaddrinfo ENOTFOUND nowhere', 'ENOTFOUND'],
])('an error without an answer has a code, or none: %j', (error, errorCode) => {
	const { status, errorCode: found } = reply(error);
	expect([status, found]).toEqual([null, errorCode]);
});
