/**
 * The tables of migration 1; `{schema}` stands for the quoted schema name.
 *
 * Documents are `json`, not `jsonb`: they come back exactly as they went in (jsonb refuses \u0000
 * and half surrogate pairs, both of which a synced system can hold), and nothing here looks into
 * them. For a look by hand: `select state::jsonb from links`.
 *
 * Keys and positions compare bytewise (`collate "C"`), so that locks are taken in the same order
 * everywhere and an operating system's new sort order cannot break an index.
 */
export const TABLES = /* sql */ `
create table {schema}.meta (
	is_only  boolean primary key default true check (is_only),
	store_id text not null,
	mac_key  text not null,
	epoch    integer not null
);

create table {schema}.policies (
	name    text collate "C" primary key,
	version integer not null,
	hash    text not null,
	mode    text not null
);
create table {schema}.policy_versions (
	policy       text collate "C" not null,
	version      integer not null,
	hash         text not null,
	document     json not null,
	published_by text not null,
	published_at timestamptz not null,
	primary key (policy, version)
);

create table {schema}.streams (
	policy      text collate "C" not null,
	system      text collate "C" not null,
	slot        text not null,
	system_id   text not null,
	timeline    integer not null,
	filter_hash text not null,
	start       text collate "C" not null,
	snapshot    text not null,
	position    text collate "C" not null,
	acknowledged pg_lsn,
	primary key (policy, system)
);

create table {schema}.links (
	policy      text collate "C" not null,
	id          text collate "C" not null,
	entity      text not null,
	generation  integer not null,
	revision    integer not null,
	keys        text[] collate "C" not null,
	state       json not null,
	due         boolean not null,
	wake_at     timestamptz not null,
	wakes       integer not null default 0,
	unattempted integer not null default 0,
	primary key (policy, id)
)
-- Documents of some kilobytes are written three times per change: to compress them costs more than the room.
with (toast_tuple_target = 8160);
create index links_due on {schema}.links (policy, wake_at) where due;

create table {schema}.link_keys (
	policy     text collate "C" not null,
	key        text collate "C" not null,
	link       text collate "C" not null,
	generation integer not null,
	primary key (policy, key)
);
comment on table {schema}.link_keys is
	'The last link that took each key. It has the key as long as links.keys says so.';

create table {schema}.link_matches (
	policy text collate "C" not null,
	key    text collate "C" not null,
	link   text collate "C" not null,
	match  json not null,
	primary key (policy, key)
);
create index link_matches_link on {schema}.link_matches (policy, link);

create table {schema}.journal (
	seq      bigint generated always as identity primary key,
	policy   text collate "C" not null,
	link     text collate "C" not null,
	revision integer not null,
	at       timestamptz not null,
	kind     text not null,
	entry    json not null
);
create index journal_link on {schema}.journal (policy, link, seq);

create table {schema}.reviews (
	policy     text collate "C" not null,
	id         text collate "C" not null,
	link       text collate "C",
	kind       text not null,
	state      text not null,
	item       json not null,
	opened_at  timestamptz not null,
	updated_at timestamptz not null,
	closed_by  text,
	primary key (policy, id)
);
create index reviews_age on {schema}.reviews (policy, state, opened_at);
create index reviews_link on {schema}.reviews (policy, link);

create sequence {schema}.claim_token;
create table {schema}.claims (
	scope text collate "C" not null,
	key   text collate "C" not null,
	state text not null,
	token bigint not null,
	until timestamptz not null,
	primary key (scope, key)
);
create index claims_until on {schema}.claims (until);
`;

/**
 * What makes this store itself. Both values come from the server's strong random generator
 * (a version 4 uuid is one, but for bytes 6 and 8, which are left out or hashed).
 */
export const IDENTITY_OF_STORE = /* sql */ `
with random as materialized (select uuid_send(gen_random_uuid()) as bytes)
insert into {schema}.meta (store_id, mac_key, epoch)
select
	(select string_agg(substr('0123456789abcdefghijklmnopqrstuvwxyz', get_byte(bytes, i) % 36 + 1, 1), '')
	 from unnest(array[0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]) as i),
	encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex'),
	1
from random;
`;

/**
 * Migration 2: what of a live policy waits for its first contact, and how far rows have been read. A stream
 * that was registered before reads its rows once more, because its hash named tables alone.
 */
export const FIRST_CONTACTS = /* sql */ `
alter table {schema}.policies add column pending text[] not null default '{}';
alter table {schema}.streams add column reading json;
`;

/** Who has signed which version of a policy: a list, oldest first. */
export const SIGNATURES = /* sql */ `
alter table {schema}.policies add column signatures jsonb not null default '[]';
`;

/** The columns that a stream's tables had when somebody last looked, so that a new one is news once. */
export const KNOWN_COLUMNS = /* sql */ `
alter table {schema}.streams add column columns text[];
`;
