import { formatReadRequest, parseReadRequest, type ReadRequest } from '../../src/core/read-request';

const request: ReadRequest = { slot: 's', id: 'a', tables: [{ table: 'public.a', from: null, to: ['5', 'x'] }] };

test('a request is what it was, for the reader of its slot', () => {
	for (const key of ['k', null]) expect(parseReadRequest(formatReadRequest(request, key), 's', key)).toEqual(request);
	expect(parseReadRequest(formatReadRequest(request, 'k'), 'another', 'k')).toBeNull();
});

test('where there is a key, whoever does not know it cannot ask, nor change what was asked', () => {
	expect(parseReadRequest(formatReadRequest(request, 'another'), 's', 'k')).toBe('forged');
	expect(parseReadRequest(formatReadRequest(request, null), 's', 'k')).toBe('forged');
	const changed = JSON.stringify({ ...(JSON.parse(formatReadRequest(request, 'k')) as object), id: 'b' });
	expect(parseReadRequest(changed, 's', 'k')).toBe('forged');
});

test.each(['', 'no json', 'null', '[]', '{"slot":"s"}', '{"slot":"s","id":"","tables":[],"mac":null}', '{"slot":"s","id":"a","tables":[{"table":1}],"mac":null}'])('%j is no request', (content) => {
	expect(parseReadRequest(content, 's', null)).toBeNull();
});
