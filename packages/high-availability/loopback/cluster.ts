import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { eventually } from "@securewave/testing";
import pg from "pg";
import { renderEtcd } from "../etcd.ts";
import { renderHaproxy } from "../haproxy.ts";
import { type ClusterPlan, mistakesIn } from "../plan.ts";
import { redisUrlOf, renderRedis, renderSentinel } from "../redis.ts";
import { unprivilegedAccount } from "./account.ts";
import { createDatabasePart, type DatabasePart } from "./database-parts.ts";
import { createFolders } from "./folders.ts";
import { loopbackPlan } from "./loopback-plan.ts";
import { createPart, type Part } from "./processes.ts";
import { patroniHere, postgresBinDir } from "./programs.ts";
import { askRedis } from "./redis-client.ts";

export interface LoopbackCluster {
  readonly plan: ClusterPlan;
  readonly patroniVersion: string;
  /** Of the database `securewave`, by HAProxy; the login owns it and is no superuser. */
  readonly databaseUrl: string;
  /** By Sentinel, with the password. */
  readonly redisUrl: string;
  /** Where HAProxy takes requests for the control plane's replicas. */
  readonly apiUrl: string;
  readonly etcd: readonly Part[];
  readonly database: readonly DatabasePart[];
  readonly redis: readonly Part[];
  readonly sentinels: readonly Part[];
  readonly folder: string;
  /** Who leads the database, as etcd has it. */
  leader(): Promise<DatabasePart>;
  /** Who has all that is acknowledged. */
  synchronousStandby(): Promise<DatabasePart>;
  /** Hands the lead over, as an operator does before work on a machine. */
  switchOver(): Promise<void>;
  redisMaster(): Promise<Part>;
  /** Tells the sentinels to let another Redis lead. */
  failRedisOver(): Promise<void>;
  /** Resolves when one member leads, all others follow it, and one of them synchronously. */
  whole(timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

export interface ClusterOptions {
  /** Other than the one that is safe with the Patroni that is here: to show that it is not. */
  readonly etcdInterface?: ClusterPlan["etcdInterface"];
}

interface Member {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly timeline?: number;
}

const PATIENCE_MS = 90_000;

/** Brings up the whole cluster on the loopback, from the same renderers as `deploy/high-availability`. */
export async function openLoopbackCluster(options: ClusterOptions = {}): Promise<LoopbackCluster> {
  await using opening = new AsyncDisposableStack();
  const binDir = postgresBinDir();
  if (binDir === undefined) throw new Error("there is no PostgreSQL of Debian");
  const account = await unprivilegedAccount();
  const folders = createFolders(account);
  opening.defer(folders.remove);
  const { version: patroniVersion, etcdInterface: safeInterface } = await patroniHere();
  const etcdInterface = options.etcdInterface ?? safeInterface;
  const plan = await loopbackPlan({ folders, binDir, etcdInterface });
  const mistakes = mistakesIn(plan);
  if (mistakes.length > 0) throw new Error(mistakes.join("; "));

  const secret = () => randomBytes(18).toString("base64url");
  const passwords = { superuser: secret(), replication: secret(), rewind: secret(), rest: secret() };
  const [service, redisPassword] = [secret(), secret()];
  const inFolder = { cwd: folders.path, account };

  const etcd = plan.etcd.map((member) =>
    createPart({
      ...inFolder,
      name: member.name,
      command: "etcd",
      args: ["--config-file", folders.file(`${member.name}.yml`, renderEtcd(plan, member))],
      isReady: () => knock(member.host, member.clientPort),
    }),
  );
  const database = plan.database.map((member) =>
    createDatabasePart(plan, member, { folders, account, passwords }),
  );
  const redisSecrets = folders.file(
    "redis-secrets.conf",
    `requirepass ${redisPassword}\nmasterauth ${redisPassword}\n`,
  );
  const sentinelSecrets = folders.file(
    "sentinel-secrets.conf",
    `requirepass ${redisPassword}\nsentinel sentinel-pass ${redisPassword}\nsentinel auth-pass ${plan.name} ${redisPassword}\n`,
  );
  const redis = plan.redis.map((member) =>
    createPart({
      ...inFolder,
      name: member.name,
      command: "redis-server",
      args: [folders.file(`${member.name}.conf`, renderRedis(plan, member, [redisSecrets]))],
      isReady: () => knock(member.host, member.port),
    }),
  );
  const sentinels = plan.sentinels.map((member) =>
    createPart({
      ...inFolder,
      name: member.name,
      command: "redis-sentinel",
      args: [folders.file(`${member.name}.conf`, renderSentinel(plan, member, [sentinelSecrets]))],
      isReady: () => knock(member.host, member.port),
    }),
  );
  const proxy = createPart({
    ...inFolder,
    name: "haproxy",
    command: "haproxy",
    args: ["-db", "-f", folders.file("haproxy.cfg", renderHaproxy(plan))],
    isReady: () => knock(plan.proxy.host, plan.proxy.writePort),
  });

  async function start(parts: readonly Part[]): Promise<void> {
    opening.defer(async () => void (await Promise.all(parts.map((part) => part.kill()))));
    await Promise.all(parts.map((part) => part.start()));
  }

  async function members(): Promise<Member[]> {
    const answers = plan.database.map(async ({ host, restPort }) => {
      const answer = await fetch(`http://${host}:${restPort}/cluster`, { signal: AbortSignal.timeout(2000) });
      return ((await answer.json()) as { members: Member[] }).members;
    });
    return Promise.any(answers);
  }
  const partOf = async (what: string, isOne: (member: Member) => boolean): Promise<DatabasePart> => {
    const found = (await members()).find(isOne);
    const part = database.find(({ name }) => name === found?.name);
    if (part === undefined) throw new Error(`the database has no ${what}`);
    return part;
  };
  const leader = () => partOf("leader", ({ role }) => role === "leader");
  const synchronousStandby = () => partOf("synchronous standby", ({ role }) => role === "sync_standby");

  const whole = (timeoutMs = PATIENCE_MS) =>
    eventually(
      async () => {
        const all = await members();
        const { timeline } = all.find(({ role }) => role === "leader") ?? {};
        const isWhole =
          all.length === database.length &&
          all.some(({ role }) => role === "sync_standby") &&
          all.every((member) => /^(running|streaming)$/.test(member.state) && member.timeline === timeline);
        if (!isWhole) throw new Error(`the database is not whole: ${JSON.stringify(all)}`);
      },
      { timeoutMs },
    );

  async function makeDatabase(): Promise<void> {
    const { host, writePort } = plan.proxy;
    const client = new pg.Client({
      ...{ host, port: writePort, user: "postgres", password: passwords.superuser, database: "postgres" },
    });
    await client.connect();
    try {
      const login = `create role securewave login password ${client.escapeLiteral(service)}`;
      await client.query(login);
      await client.query("create database securewave owner securewave");
    } finally {
      await client.end();
    }
  }

  const askSentinels = (...command: string[]) =>
    Promise.any(plan.sentinels.map((place) => askRedis(place, redisPassword, command)));

  await Promise.all([start(etcd), start(redis).then(() => start(sentinels))]);
  await Promise.all([start([proxy]), start(database)]);
  await whole();
  await eventually(makeDatabase, { timeoutMs: PATIENCE_MS });
  const { host, writePort, apiPort } = plan.proxy;
  const closing = opening.move();
  return {
    plan,
    patroniVersion,
    databaseUrl: `postgresql://securewave:${service}@${host}:${writePort}/securewave`,
    redisUrl: redisUrlOf(plan, redisPassword),
    apiUrl: `http://${host}:${apiPort}`,
    etcd,
    database,
    redis,
    sentinels,
    folder: folders.path,
    leader,
    synchronousStandby,
    async switchOver() {
      const [from, to] = [await leader(), await synchronousStandby()];
      const answer = await fetch(`http://${from.member.host}:${from.member.restPort}/switchover`, {
        method: "POST",
        headers: { authorization: `Basic ${Buffer.from(`operator:${passwords.rest}`).toString("base64")}` },
        body: JSON.stringify({ leader: from.name, candidate: to.name }),
      });
      if (!answer.ok) throw new Error(`the switch-over was refused: ${await answer.text()}`);
    },
    async redisMaster() {
      const answer = await askSentinels("SENTINEL", "GET-MASTER-ADDR-BY-NAME", plan.name);
      const at = plan.redis.findIndex(({ port }) => Array.isArray(answer) && String(port) === answer[1]);
      const part = redis[at];
      if (part === undefined) throw new Error("the sentinels name no master");
      return part;
    },
    async failRedisOver() {
      await askSentinels("SENTINEL", "FAILOVER", plan.name);
    },
    whole,
    close: () => closing.disposeAsync(),
  };
}

/** Demands that somebody takes connections there. */
async function knock(host: string, port: number): Promise<void> {
  const socket = connect(port, host);
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
