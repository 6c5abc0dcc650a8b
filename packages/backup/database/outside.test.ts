import { join } from "node:path";
import { missingServer, openTestServer, type TestServer } from "@securewave/database/testing-server";
import { systemClock } from "@securewave/foundation";
import { requirements } from "@securewave/testing/requirements";
import { temporaryDir } from "@securewave/testing/temporary";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { receiveArchive } from "../archiving/receiver.ts";
import { withRestored } from "../restoring/restore.ts";
import { createIdentity } from "../sealing/keys.ts";
import { openTarget } from "../targets/open.ts";
import { verifyObjects } from "../verify.ts";
import { takeBase } from "./base.ts";

const needs = requirements({ others: [missingServer()] });
const dir = temporaryDir("backup-outside");
const { identity, recipient } = createIdentity();
const keys = { recipients: [recipient], identities: [identity] };
let server: TestServer;

describe.skipIf(!needs.ok)(needs.title("a PostgreSQL of the system's"), () => {
  beforeAll(async () => {
    server = await openTestServer();
    await server.run("alter system set max_connections = 250", "create table notes (number int primary key)");
  });
  afterAll(async () => {
    await server?.close();
    dir.remove();
  });

  test("is backed up by a role that may only replicate, and restored to an instant", async () => {
    const connectionString = await server.createRole("archivist");
    const connection = { connectionString };
    const target = await openTarget({ url: join(dir.path, "target") });
    const order = { target, ...keys, connection, version: "0.1.0", clock: systemClock };
    await expect(takeBase(order)).rejects.toMatchObject({ code: "backup.not_permitted" });
    await expect(receiveArchive(order)).rejects.toMatchObject({ code: "backup.not_permitted" });
    await server.run("alter role archivist replication");

    const troubles: unknown[] = [];
    const archive = await receiveArchive({
      ...order,
      everySeconds: 1,
      onTrouble: (error) => void troubles.push(error),
    });
    await server.run("insert into notes select generate_series(1, 10)");
    const manifest = await takeBase(order);
    expect(manifest.base?.postgresMajor).toMatch(/^\d\d$/);
    expect(await verifyObjects({ target, manifest, ...keys })).toEqual([]);
    await server.run("select pg_sleep(1.1)", "insert into notes select generate_series(11, 5000)");
    const [now] = await server.run("select clock_timestamp() as at");
    const between = new Date(Number(now?.at) + 1);
    await server.run("select pg_sleep(0.1)", "insert into notes select generate_series(5001, 9000)");
    await server.run("select pg_switch_wal()", "insert into notes values (9001)");
    await archive.flush();
    await archive.close();
    expect(troubles).toEqual([]);

    const scratchDir = join(dir.path, "scratch");
    const count = (to: Date | "latest") =>
      withRestored({ target, ...keys, to, scratchDir }, async (restored) => {
        const client = new pg.Client(restored);
        await client.connect();
        const { rows } = await client.query("select count(*)::int as count from notes");
        await client.end();
        return rows[0]?.count;
      });
    expect(await count(new Date(manifest.takenAt))).toBe(10);
    expect(await count(between)).toBe(5000);
    expect(await count("latest")).toBe(9001);
  });
});
