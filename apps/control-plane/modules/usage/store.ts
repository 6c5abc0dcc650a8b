import type { Tables } from "@securewave/database";
import { type Kysely, sql } from "kysely";
import { type KeptMark, MARKS_PER_PAGE, ROW_BYTES } from "./sealing.ts";

type Db = Kysely<Tables>;

/** Our key for the lock under which one process at a time rewrites the ledger. */
const FLUSH_LOCK_KEY = 5_381_264_903;
/** Joins of all accounts, which are few steps when they fit. */
const WORK_MEMORY = "64MB";
/** A dump of the database holds the table for as long as it takes; registrations wait behind whoever waits for it. */
const LOCK_WAIT = "2s";

export interface LedgerState {
  readonly generation: number;
  readonly flushed_on: string | null;
}

/** Gives an account its row, the same bytes for everybody; one that has a row keeps it, at the same cost. */
export async function insertLedgerRow(db: Db, accountId: string): Promise<void> {
  await db
    .insertInto("usage_ledger")
    .values({ account_id: accountId })
    .onConflict((conflict) =>
      conflict.column("account_id").doUpdateSet({ account_id: (row) => row.ref("excluded.account_id") }),
    )
    .execute();
}

export function readState(db: Db): Promise<LedgerState> {
  return db.selectFrom("usage_ledger_state").select(["generation", "flushed_on"]).executeTakeFirstOrThrow();
}

export function readPages(db: Db): Promise<{ page: number; sealed: Buffer }[]> {
  return db.selectFrom("usage_ledger_marks").selectAll().execute();
}

/** Which accounts registered since the last rewriting: their rows say nothing yet. By id. */
export async function readFreshIds(trx: Db): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select account_id as id from usage_ledger where substring(sealed for 4) = decode('00000000', 'hex')`.execute(
    trx,
  );
  return rows.map(({ id }) => id).sort();
}

/** Hands over all rows, some at a time; call in a transaction. */
export async function* readRows(
  trx: Db,
  rowsAtOnce: number,
): AsyncIterable<{ account_id: string; sealed: Buffer }[]> {
  await sql`declare ledger_rows no scroll cursor for select account_id, sealed from usage_ledger`.execute(
    trx,
  );
  for (;;) {
    const { rows } = await sql<{ account_id: string; sealed: Buffer }>`
      fetch ${sql.raw(`${rowsAtOnce}`)} from ledger_rows`.execute(trx);
    if (rows.length === 0) break;
    yield rows;
  }
  await sql`close ledger_rows`.execute(trx);
}

/**
 * Takes the right to rewrite the ledger until the transaction ends, and the time that it takes.
 *
 * @returns false when another process has it
 */
export async function takeFlushLock(trx: Db): Promise<boolean> {
  await sql`set local statement_timeout = 0`.execute(trx);
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(trx);
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(${FLUSH_LOCK_KEY}::bigint) as taken`.execute(trx);
  return rows[0]?.taken === true;
}

/** Makes the table that is to take the ledger's place. It is as the migration makes it, but for keys. */
export async function makeNextTable(trx: Db): Promise<void> {
  await sql`
    create table usage_ledger_next
      (like usage_ledger including defaults including constraints including storage)`.execute(trx);
  await sql`alter table usage_ledger_next alter column sealed set statistics 0`.execute(trx);
}

/** Gives the new table the rights that others have to the ledger, such as a role that makes backups. */
async function copyGrants(trx: Db): Promise<void> {
  await sql`
    do $$
    declare
      item record;
    begin
      for item in
        select privilege_type, is_grantable, '' as columns,
          case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as role
        from pg_class, aclexplode(relacl)
        where oid = 'usage_ledger'::regclass and grantee <> relowner
        union all
        select privilege_type, is_grantable, format('(%I)', attname),
          case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end
        from pg_attribute, aclexplode(attacl)
        where attrelid = 'usage_ledger'::regclass
      loop
        execute format('grant %s %s on usage_ledger_next to %s %s', item.privilege_type, item.columns,
          item.role, case when item.is_grantable then 'with grant option' else '' end);
      end loop;
    end $$`.execute(trx);
}

/** @param sealed of the nth account at the nth place of `ROW_BYTES` */
export async function insertNextRows(trx: Db, accountIds: readonly string[], sealed: Buffer): Promise<void> {
  await sql`
    insert into usage_ledger_next (account_id, sealed)
    select item.id, substring(${sealed}::bytea from (item.place::integer - 1) * ${ROW_BYTES}::integer + 1
                              for ${ROW_BYTES}::integer)
    from unnest(${accountIds}::text[]) with ordinality as item (id, place)`.execute(trx);
}

export async function addNextKey(trx: Db): Promise<void> {
  for (const setting of ["work_mem", "maintenance_work_mem"]) {
    await sql`select set_config(${setting}, ${WORK_MEMORY}, true)`.execute(trx);
  }
  await sql`
    alter table usage_ledger_next add constraint usage_ledger_next_pkey primary key (account_id)`.execute(
    trx,
  );
}

/**
 * Keeps everybody else from both tables until the transaction ends. In the order in which a registration
 * comes by them, so that the two never wait for each other.
 */
export async function lockTables(trx: Db): Promise<void> {
  await sql`select set_config('lock_timeout', ${LOCK_WAIT}, true)`.execute(trx);
  await sql`lock table accounts in share row exclusive mode`.execute(trx);
  await sql`lock table usage_ledger in access exclusive mode`.execute(trx);
}

/** Accounts that came or went while the rows were written. */
export interface Difference {
  readonly missing: readonly string[];
  readonly gone: readonly string[];
}

export async function findDifference(trx: Db): Promise<Difference> {
  const { rows } = await sql<{ missing: string | null; gone: string | null }>`
    select accounts.id as missing, usage_ledger_next.account_id as gone
    from accounts full join usage_ledger_next on usage_ledger_next.account_id = accounts.id
    where accounts.id is null or usage_ledger_next.account_id is null`.execute(trx);
  return {
    missing: rows.flatMap(({ missing }) => missing ?? []),
    gone: rows.flatMap(({ gone }) => gone ?? []),
  };
}

export async function deleteNextRows(trx: Db, accountIds: readonly string[]): Promise<void> {
  await sql`delete from usage_ledger_next where account_id = any(${accountIds}::text[])`.execute(trx);
}

/** Puts the new table in the place of the ledger, with the same rights to it. */
export async function swapTables(trx: Db): Promise<void> {
  await copyGrants(trx);
  await sql`
    alter table usage_ledger_next add constraint usage_ledger_account_id_fkey
      foreign key (account_id) references accounts on delete cascade`.execute(trx);
  await sql`drop table usage_ledger`.execute(trx);
  await sql`alter table usage_ledger_next rename to usage_ledger`.execute(trx);
  await sql`alter index usage_ledger_next_pkey rename to usage_ledger_pkey`.execute(trx);
}

/** Which nodes have a place on the pages: all there are, whatever they did. */
export async function readNodeIds(trx: Db): Promise<string[]> {
  const nodes = await trx.selectFrom("nodes").select("id").orderBy("id").execute();
  return nodes.map(({ id }) => id);
}

export async function replacePages(trx: Db, pages: readonly Buffer[]): Promise<void> {
  await trx.deleteFrom("usage_ledger_marks").execute();
  await trx
    .insertInto("usage_ledger_marks")
    .values(pages.map((sealed, page) => ({ page, sealed })))
    .execute();
}

/** @returns one page for every `MARKS_PER_PAGE` nodes, and one at least */
export function pagesOf(nodeIds: readonly string[], markOf: (nodeId: string) => KeptMark): KeptMark[][] {
  const count = Math.max(1, Math.ceil(nodeIds.length / MARKS_PER_PAGE));
  return Array.from({ length: count }, (_, page) =>
    nodeIds.slice(page * MARKS_PER_PAGE, (page + 1) * MARKS_PER_PAGE).map(markOf),
  );
}

export async function writeState(trx: Db, state: LedgerState): Promise<void> {
  await trx.updateTable("usage_ledger_state").set(state).execute();
}
