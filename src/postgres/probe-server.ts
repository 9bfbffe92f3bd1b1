import { connect, type PgSettings } from './connect';
import { query } from './sql';

/** What a first look at a server tells: enough to say in words what is missing. */
export interface ServerProbe {
	/** As the server prints it: "18.1". */
	readonly version: string;
	/** 180001 for 18.1. */
	readonly versionNumber: number;
	readonly walLevel: string;
	/** A standby takes no writes. */
	readonly isStandby: boolean;
	/** The role has the attribute REPLICATION, is a superuser, or has what Amazon RDS gives instead. */
	readonly mayReplicate: boolean;
	/** The role may make tables in `schema`, or make the schema when it is not there. */
	readonly mayUseSchema: boolean;
}

/**
 * @param schema - the schema in which tables will be made
 * @throws SyncError DATABASE_UNREACHABLE, DATABASE_MISSING, AUTH_FAILED, TLS_FAILED
 */
export async function probeServer(settings: PgSettings, schema: string): Promise<ServerProbe> {
	const client = await connect(settings);
	try {
		const [row] = await query<{ probe: ServerProbe }>(client, PROBE, [schema]);
		if (!row) throw new TypeError('the probe returned no row');
		return row.probe;
	} finally {
		await client.end();
	}
}

const PROBE = /* sql */ `
select json_build_object(
	'version', current_setting('server_version'),
	'versionNumber', current_setting('server_version_num')::int,
	'walLevel', current_setting('wal_level'),
	'isStandby', pg_is_in_recovery(),
	'mayReplicate', (
		select bool_or(rolname = 'rds_replication' or rolreplication or rolsuper) from pg_roles
		where rolname = current_user or rolname = 'rds_replication' and pg_has_role(oid, 'member')),
	'mayUseSchema', coalesce(
		(select has_schema_privilege(oid, 'create') and has_schema_privilege(oid, 'usage')
		 from pg_namespace where nspname = $1),
		has_database_privilege(current_database(), 'create'))
) as probe`;
