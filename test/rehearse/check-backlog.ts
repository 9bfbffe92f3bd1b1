import type { Rehearsal } from './rehearsal';

/** By system, the log that its slot may hold back, in bytes: which hold back more. */
export async function wrongBacklog({ databases, slotOf }: Rehearsal, expected: Readonly<Record<string, number>> | undefined): Promise<string[]> {
	const problems = Object.entries(expected ?? {}).map(async ([system, most]) => {
		const found = await databases.get(system)?.pool.query<{ held: string }>(
			'select pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) as held from pg_replication_slots where slot_name = $1',
			[slotOf(system)],
		);
		const held = found?.rows[0]?.held;
		if (held === undefined) return [`backlog of ${system}: there is no slot`];
		return Number(held) <= most ? [] : [`backlog of ${system}: the slot holds back ${held} bytes of log, expected ${most} at most`];
	});
	return (await Promise.all(problems)).flat();
}
