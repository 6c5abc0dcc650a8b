import { type Client, createClient } from "@securewave/contracts";
import { eventually, type TemporaryDir, temporaryDir } from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "./control-plane.ts";
import { layNextRelease, type NextRelease } from "./next-release.ts";
import { logIn, PASSWORD, type Person, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";
import { createReplicaStarter, createSharedDatabase, roleUrls, type SharedDatabase } from "./replicas.ts";

const ADMIN = "admin@example.org";
const EXPAND = { DATABASE_MIGRATIONS: "expand" };
/** People come and go at all replicas, in each step at least so often. */
const ROUNDS = 2;
const PATIENCE = { timeoutMs: 60_000 };

/** One deployment, step by step, during which people are served all the time. */
describe("a release that takes over from the one before", { timeout: 120_000 }, () => {
  let dir: TemporaryDir;
  let database: SharedDatabase;
  let start: ReturnType<typeof createReplicaStarter>;
  let next: NextRelease;
  let former: ControlPlane;
  let first: ControlPlane;
  let second: ControlPlane;
  const running = new Set<ControlPlane>();

  /** Where people are let in, with the admin there. */
  const serving = new Map<ControlPlane, Person>();
  const customers: string[] = [];
  const failures: unknown[] = [];
  let rounds = 0;
  let isOver = false;
  let people: Promise<void> | undefined;

  async function open(name: string, isNext: boolean, env = {}): Promise<ControlPlane> {
    const release = isNext ? { dir: next.dir, env } : { env };
    const replica = await start(name, undefined, release);
    running.add(replica);
    return replica;
  }
  async function letIn(replica: ControlPlane): Promise<void> {
    serving.set(replica, await logIn(replica.url, ADMIN));
    await goOn();
  }
  /** Lets nobody in any more, waits until who is inside has left, and ends it. */
  async function close(replica: ControlPlane): Promise<void> {
    serving.delete(replica);
    await goOn();
    await replica.process.stop();
    running.delete(replica);
  }

  /** A customer is made at one replica and is known at another; what they make there is known at the first. */
  async function serve(number: number): Promise<void> {
    const replicas = [...serving];
    const [one, admin] = replicas[number % replicas.length] ?? expect.unreachable("there is a replica");
    const [other] = replicas[(number + 1) % replicas.length] ?? expect.unreachable("there is a replica");
    const email = `customer-${number}@example.org`;
    await admin.client.accounts.create({ body: { email, password: PASSWORD } });
    customers.push(email);
    const { client } = await logIn(other.url, email);
    const body = { name: "Program", scopes: ["account:read" as const], password: PASSWORD };
    const { text } = await client.apiKeys.create({ body });
    const program = createClient({ baseUrl: one.url, token: () => text });
    expect((await program.accounts.me()).email).toBe(email);
  }
  async function serveOn(): Promise<void> {
    while (!isOver) {
      await serve(rounds).catch((error: unknown) => failures.push(error));
      rounds++;
    }
  }
  async function goOn(): Promise<void> {
    const wanted = rounds + ROUNDS;
    await eventually(() => expect(rounds).toBeGreaterThanOrEqual(wanted), PATIENCE);
    expect(failures).toEqual([]);
  }
  /** The names of those that wait, as a replica sees it. */
  async function waitingAt(replica: ControlPlane): Promise<string[]> {
    const { client } = serving.get(replica) ?? expect.unreachable("it serves");
    const { items } = await client.database.migrations();
    return items.filter(({ applied_on }) => applied_on === null).map(({ name }) => name);
  }

  beforeAll(async () => {
    dir = temporaryDir("rolling");
    database = await createSharedDatabase();
    start = createReplicaStarter({
      dir: dir.path,
      databaseUrl: database.url,
      hasNoLimits: true,
      env: roleUrls(database.url),
    });
    next = await layNextRelease(`${dir.path}/next-release`);
    former = await open("former", false);
    await setUpAdmin(former.url, former.setupLink);
    serving.set(former, await logIn(former.url, ADMIN));
    people = serveOn();
    await goOn();
  });
  afterAll(async () => {
    isOver = true;
    await people;
    for (const replica of running) await replica.process.stop();
    expect(await processesOf(dir.path)).toEqual([]);
    await database?.drop();
    dir.remove();
  });

  test("with DATABASE_MIGRATIONS=expand applies what the one before can live with, and serves beside it", async () => {
    first = await open("first", true, EXPAND);
    await letIn(first);
    expect(await waitingAt(first)).toEqual([next.contract]);
    expect(await waitingAt(former)).toEqual([]);
  });

  test("leaves the way back open: the one before starts again, and serves beside it", async () => {
    await close(former);
    former = await open("former", false);
    await letIn(former);
    expect(await waitingAt(first)).toEqual([next.contract]);
  });

  test("does the rest with `all`, once no replica of the one before is left, while its own go on", async () => {
    await close(former);
    second = await open("second", true);
    await letIn(second);
    for (const replica of [first, second]) expect(await waitingAt(replica)).toEqual([]);
  });

  test("does not let the one before in again, which says why", async () => {
    await expect(open("former", false)).rejects.toThrow(/Start the newer one/);
    await goOn();
  });

  test("lost nothing of what was written at either", async () => {
    isOver = true;
    await people;
    expect(failures).toEqual([]);
    for (const [, { client }] of serving) {
      const emails = await allEmails(client);
      expect(emails.sort()).toEqual([ADMIN, ...customers].sort());
    }
  });
});

async function allEmails(client: Client): Promise<string[]> {
  const emails: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = { limit: 100, ...(cursor !== undefined && { cursor }) };
    const page = await client.accounts.list({ query });
    emails.push(...page.items.map(({ email }) => email));
    cursor = page.next_cursor;
  }
  return emails;
}
