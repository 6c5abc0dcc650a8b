import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseVerifier, type TrailReport, verifyTrail } from "@securewave/audit-trail";
import { openTestDatabase } from "@securewave/database/testing";
import { createId, createManualClock, invariant, type ManualClock } from "@securewave/foundation";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, afterEach, beforeEach } from "vitest";
import { serviceKeyOf } from "../service-keys/index.ts";
import type { Act } from "./act.ts";
import { type Audit, type AuditOptions, createAudit } from "./service.ts";

const PROCESS = fileURLToPath(new URL("testing-process.ts", import.meta.url));

export const staff = createId("account");

export function logIn(account = createId("account")): Act {
  return { kind: "login_succeeded", actor: account, subject: account, details: { method: "password" } };
}

/** An empty trail on a real database before each test of a file. */
export async function useTrail() {
  const database = await openTestDatabase();
  const { db } = database;
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = serviceKeyOf(privateKey);
  const opened: Audit[] = [];
  const run = (statements: string) => database.pool.query(statements);
  let dir = temporaryDir("audit");

  const trail = {
    database,
    clock: createManualClock(0) as ManualClock,
    /** What was reported in the background. */
    errors: [] as unknown[],
    archiveDir: "",
    audit: undefined as unknown as Audit,
    run,
    /** What stands in the way of whoever has the database is out of the way. */
    unguarded: (statements: string) =>
      run(
        `alter table audit_entries disable trigger all; ${statements}; alter table audit_entries enable trigger all`,
      ),
    /** Another process on the same store. */
    open(options: Partial<AuditOptions> = {}): Audit {
      const audit = createAudit({
        database,
        clock: trail.clock,
        key,
        origin: "vpn.example.org/audit",
        archiveDir: trail.archiveDir,
        retentionDays: 30,
        onError: (error) => void trail.errors.push(error),
        ...options,
      });
      opened.push(audit);
      return audit;
    },
    /** Another process indeed; what it does is said there. */
    spawn: (mode: "write" | "archive", nodeOptions: readonly string[] = []) =>
      spawn(process.execPath, [...nodeOptions, PROCESS, mode, database.url, trail.archiveDir], {
        env: { ...process.env, AUDIT_KEY: privateKey.export({ format: "pem", type: "pkcs8" }).toString() },
        stdio: ["ignore", "pipe", "inherit"],
      }),
    /** Writes entries, one transaction each, and gives them their places. */
    async fill(count: number, act: () => Act = logIn): Promise<void> {
      for (let at = 0; at < count; at++) await trail.audit.record(db, act());
      await trail.audit.sequence();
    },
    async linesOf(part: { from?: number; to?: number } = {}): Promise<string[]> {
      let text = "";
      for await (const piece of await trail.audit.export(staff, part)) text += piece;
      return text.trimEnd().split("\n");
    },
    async verifier() {
      const verifier = parseVerifier((await trail.audit.checkpoint()).verifier_key);
      invariant(verifier, "the verifier key is one");
      return verifier;
    },
    /** Exports all and verifies that. */
    async verify(known?: string): Promise<TrailReport> {
      const verifier = await trail.verifier();
      return verifyTrail(await trail.linesOf(), { verifier, ...(known === undefined ? {} : { known }) });
    },
    async bodies() {
      const rows = await db.selectFrom("audit_entries").select("body").orderBy("index").execute();
      return rows.map(({ body }) => body as Record<string, unknown> | null);
    },
  };

  beforeEach(async () => {
    await trail.unguarded(
      "delete from audit_entries; delete from audit_queue; delete from audit_checkpoints; update audit_tree set size = 0, frontier = ''",
    );
    dir = temporaryDir("audit");
    trail.archiveDir = join(dir.path, "audit-archive");
    trail.clock = createManualClock(Date.parse("2026-11-20T12:34:56.789Z"));
    trail.errors = [];
    trail.audit = trail.open();
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    dir.remove();
  });
  afterAll(() => database.close());
  return trail;
}
