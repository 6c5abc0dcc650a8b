import { setTimeout as pause } from "node:timers/promises";
import { type ArchivePiece, openPiece, readArchives, type Target, targetErrors } from "@securewave/backup";
import { isRefusalOf, SECOND_MS } from "@securewave/foundation";
import type { Source } from "@securewave/ghosts";
import type pg from "pg";

export interface BackupLogOptions {
  readonly target: Target;
  readonly identities: readonly string[];
  readonly pool: Pick<pg.Pool, "query">;
  readonly archiveSeconds: number;
}

/** Of PostgreSQL's log. */
const PAGE_BYTES = 8192n;
const LATE_MS = 60 * SECOND_MS;

/** What the archive has of the database's log from this moment on to an end, opened and joined. */
export async function createBackupLog({ target, identities, pool, archiveSeconds }: BackupLogOptions) {
  const start = await position();
  let end: bigint | undefined;

  /** In bytes since the log began. */
  async function position(): Promise<{ lsn: bigint; systemId: string }> {
    const { rows } = await pool.query(
      `select (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::text as lsn, system_identifier::text as system_id
        from pg_control_system()`,
    );
    return { lsn: BigInt(rows[0]?.lsn), systemId: String(rows[0]?.system_id) };
  }

  /** Of the newest timeline, in the order of the log. */
  async function pieces(): Promise<readonly ArchivePiece[]> {
    const archive = (await readArchives(target)).find(({ systemId }) => systemId === start.systemId);
    const timeline = archive?.pieces.at(-1)?.timeline;
    return (archive?.pieces ?? []).filter((piece) => piece.timeline === timeline);
  }

  async function arrived(to: bigint): Promise<readonly ArchivePiece[]> {
    const deadline = performance.now() + archiveSeconds * SECOND_MS + LATE_MS;
    for (;;) {
      const all = await pieces();
      if (all.some((piece) => piece.to >= to)) return all;
      if (performance.now() > deadline) throw new Error("the archive lacks the end of the log");
      await pause(SECOND_MS);
    }
  }

  /** Piece by piece, from a page's beginning on: parts give way to the whole that they are of while it goes on. */
  async function* read(known: readonly ArchivePiece[], to: bigint): AsyncGenerator<Buffer> {
    let listed = known;
    let isFresh = false;
    for (let at = start.lsn - (start.lsn % PAGE_BYTES); at < to; ) {
      const here = listed.filter((piece) => piece.from <= at && piece.to > at);
      const longest = here.reduce<ArchivePiece | undefined>(
        (best, piece) => (best === undefined || piece.to > best.to ? piece : best),
        undefined,
      );
      const bytes = longest && (await bytesOf(longest));
      if (longest === undefined || bytes === undefined) {
        if (isFresh) throw new Error("the archive has a gap since the search began");
        [listed, isFresh] = [await pieces(), true];
        continue;
      }
      isFresh = false;
      yield bytes.subarray(Number(at - longest.from));
      at = longest.to;
    }
  }

  async function bytesOf(piece: ArchivePiece): Promise<Buffer | undefined> {
    try {
      return await openPiece(target, piece, identities);
    } catch (error) {
      if (isRefusalOf(error, targetErrors.notFound)) return undefined;
      throw error;
    }
  }

  return {
    /** Settles that what was written until now is what is to be searched. */
    async end(): Promise<void> {
      end = (await position()).lsn;
    },

    /** @throws when it did not arrive at the target in time */
    async *sources(): AsyncGenerator<Source> {
      const to = end ?? start.lsn;
      const known = await arrived(to);
      yield { name: "log since the search began", read: () => read(known, to) };
    },
  };
}
