import { datetime } from '../../../src/core/codecs/zone-codec';
import { openTestDatabase } from '../../support/test-database';

/** Half-hourly, in the months in which these zones changed their clocks. */
const READINGS = 48 * 150;

// Zones and years whose rules are history, so that the two sets of time zone data agree on them.
test.each([
	['America/New_York', 2023],
	['Australia/Lord_Howe', 2020],
	['Pacific/Apia', 2011],
	['Asia/Kathmandu', 1985],
	['Europe/Dublin', 1971],
])('in %s in %i wall time is the moment that Postgres takes it for', async (zone, year) => {
	const codec = datetime(zone);
	const database = await openTestDatabase('zone codec');
	try {
		const { rows } = await database.pool.query<{ wall: string; moment: string }>(
			`select wall::text, to_char(wall at time zone $1 at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as moment
			 from generate_series(make_timestamp($2, 1, 1, 0, 15, 0), make_timestamp($2 + 1, 1, 1, 0, 15, 0), '30 minutes') wall
			 where extract(month from wall) in (3, 4, 10, 11, 12)`,
			[zone, year],
		);
		expect(rows.length).toBeGreaterThan(READINGS);
		const different = rows.filter(({ wall, moment }) => {
			const read = codec?.toCanon(wall);
			return !read?.ok || read.value !== moment;
		});
		expect(different).toEqual([]);
	} finally {
		await database.drop();
	}
});
