import { once } from "node:events";
import { cp } from "node:fs/promises";
import { migrate, openDatabase } from "@securewave/database";
import type { TestDatabase } from "@securewave/database/testing";
import type { TestServer } from "@securewave/database/testing-server";
import { createManualClock, invariant, type ManualClock } from "@securewave/foundation";
import { type ReceivedMail, readOutbox } from "@securewave/testing/mail";
import { temporaryDir } from "@securewave/testing/temporary";
import { openTestApp, type Person, type TestApp } from "../../testing/app.ts";
import { createFakeNode, type FakeNode, joinNode, type NodeIdentity } from "../../testing/fake-node.ts";
import { createScriptedJobs, type ScriptedJobs } from "./scripted-jobs.ts";
import { makeServer, markAtRest, onCopyOf } from "./twin-server.ts";
import type { Mark, WalRecord } from "./write-ahead-log.ts";

const START_MS = Date.parse("2026-03-02T00:00:00Z");
const MINUTE_SECONDS = 60;
const LOG_IN_EVERY_MINUTES = 12 * 60;

export interface TwinPlan {
  readonly accounts: number;
  readonly devicesEach: number;
  /** Of the plan that all have; who has used it up is throttled. */
  readonly quotaBytes: number;
}

/** What both twins begin with: the same rows on the same pages, the same keys, the same node. */
export interface TwinBase {
  readonly server: TestServer;
  readonly dataDir: string;
  readonly identity: NodeIdentity;
  readonly adminEmail: string;
  readonly customerEmail: string;
  readonly publicKeys: readonly string[];
  close(): Promise<void>;
}

/** A running instance, for what a script does to it each minute. */
export interface Twin {
  readonly test: TestApp;
  readonly clock: ManualClock;
  readonly node: FakeNode;
  readonly server: TestServer;
  readonly jobs: ScriptedJobs;
  readonly publicKeys: readonly string[];
  readonly logIn: (who: "admin" | "customer") => Promise<Person>;
}

export interface TwinRun {
  readonly records: readonly WalRecord[];
  /** What was queued, by name. */
  readonly jobs: readonly string[];
  readonly mails: readonly ReceivedMail[];
  /** How many devices the node was told to restrict, at most. */
  readonly restrictedMax: number;
}

/** Makes what both begin with, by the service itself. */
export async function makeBase(plan: TwinPlan): Promise<TwinBase> {
  const dir = temporaryDir("twins");
  let filled: Filled | undefined;
  const server = await makeServer(async (empty) => {
    const test = await openOn(empty, dir.path, createManualClock(START_MS), createScriptedJobs(), true);
    filled = await fill(test, plan);
    await test.close();
  });
  invariant(filled, "a server that was made is filled");
  return {
    ...filled,
    server,
    dataDir: dir.path,
    async close() {
      await server.close();
      dir.remove();
    },
  };
}

type Filled = Omit<TwinBase, "server" | "dataDir" | "close">;

async function fill(test: TestApp, { accounts, devicesEach, quotaBytes }: TwinPlan): Promise<Filled> {
  const admin = await test.admin();
  await admin.client.service.changeSettings({ body: { devices_per_account_max: devicesEach + 1 } });
  await throttleBeyond(admin, quotaBytes);
  const identity = await joinNode(test);
  const node = createFakeNode(test, identity);
  await node.connect();
  const people = await Promise.all(Array.from({ length: accounts }, () => test.person()));
  const publicKeys = await Promise.all(people.map(({ client }) => addDevices(client, devicesEach)));
  const customerEmail = people.at(-1)?.email ?? "";
  return { identity, adminEmail: admin.email, customerEmail, publicKeys: publicKeys.flat() };
}

async function addDevices(client: Person["client"], count: number): Promise<string[]> {
  const publicKeys: string[] = [];
  for (let device = 0; device < count; device++)
    publicKeys.push((await client.devices.create({ body: { name: `Device ${device}` } })).public_key);
  return publicKeys;
}

async function throttleBeyond({ client }: Person, quotaBytes: number): Promise<void> {
  const plan = (await client.plans.list()).items.find(({ is_default }) => is_default);
  invariant(plan, "new accounts get a plan");
  const body = { quota_bytes: quotaBytes, on_quota: "throttle" } as const;
  await client.plans.change({ params: { id: plan.id }, body });
}

/**
 * Lets an instance live through moments of the scripted clock on a copy of the base, and reads what it has written.
 *
 * @param moments minutes since the beginning, rising: those at which something happens
 * @param each does in a minute what is to be done, and resolves when it is done
 */
export async function live(
  base: TwinBase,
  moments: readonly number[],
  each: (twin: Twin, minute: number) => Promise<void>,
): Promise<TwinRun> {
  const dir = temporaryDir("twin");
  try {
    await cp(base.dataDir, dir.path, { recursive: true });
    return await onCopyOf(base.server, (server) => run({ base, server, dir: dir.path, moments, each }));
  } finally {
    dir.remove();
  }
}

interface Run {
  readonly base: TwinBase;
  readonly server: TestServer;
  readonly dir: string;
  readonly moments: readonly number[];
  readonly each: (twin: Twin, minute: number) => Promise<void>;
}

async function run({
  base,
  server,
  dir,
  moments,
  each,
}: Run): Promise<Omit<TwinRun, "records"> & { marks: readonly Mark[] }> {
  const jobs = createScriptedJobs();
  const clock = createManualClock(START_MS);
  const marks: Mark[] = [await markAtRest(server, 0)];
  const opened = await openOn(server, dir, clock, jobs, false);
  const logIn: Twin["logIn"] = async (who) => {
    const person = await opened.logIn(who === "admin" ? base.adminEmail : base.customerEmail);
    await markAtRest(server, 0); // what follows does not race with the trail's entry of the log-in
    return person;
  };
  let admin = await logIn("admin");
  const test: TestApp = { ...opened, admin: async () => admin };
  const node = createFakeNode(test, base.identity);
  try {
    await node.connect();
    const twin: Twin = { test, clock, node, server, jobs, publicKeys: base.publicKeys, logIn };
    let present = 0;
    for (const minute of moments) {
      clock.advanceSeconds((minute - present) * MINUTE_SECONDS);
      present = minute;
      marks.push(await markAtRest(server, minute));
      if (minute % LOG_IN_EVERY_MINUTES === 0) admin = await logIn("admin"); // tokens live for a day
      await each(twin, minute);
      await jobs.runDue(clock.now());
    }
    marks.push(await markAtRest(server, present + 1));
    const restricted = node.frames().map((frame) => (frame.type === "restrict" ? frame.peers.length : 0));
    return {
      marks,
      jobs: jobs.sent,
      mails: await readOutbox(`${dir}/outbox`).catch(() => []),
      restrictedMax: Math.max(...restricted),
    };
  } finally {
    await opened.close();
  }
}

/** A device with a live tunnel, and what has come from it since its node began. */
export interface Connected {
  readonly publicKey: string;
  readonly receivedBytes: number;
}

/** Sends the node's report; resolves when the control plane has taken it: frames are taken in their order. */
export async function taken(node: FakeNode, connected: readonly Connected[]): Promise<void> {
  node.report(
    connected.map(({ publicKey, receivedBytes }) => ({
      public_key: publicKey,
      received_bytes: receivedBytes,
    })),
  );
  const socket = node.socket();
  const closed = node
    .ended()
    .then(({ reason }) => Promise.reject(new Error(`the node was let go: ${reason}`)));
  const answered = once(socket, "pong");
  socket.ping();
  await Promise.race([answered, closed]);
}

async function openOn(
  server: TestServer,
  dataDir: string,
  clock: ManualClock,
  jobs: ScriptedJobs,
  isNew: boolean,
): Promise<TestApp> {
  const opened = await openDatabase({ url: server.url, poolMax: 4, statementTimeoutMs: 60_000 });
  if (isNew) await migrate(opened.pool);
  const database: TestDatabase = { ...opened, url: server.url, truncateAll: async () => undefined };
  return openTestApp({
    database,
    wrapDatabase: (given) => given, // its owner's: who asks does not show in the log
    dataDir,
    clock,
    createJobs: jobs.create,
    settings: { LOCAL_NODE: "off" },
  });
}
