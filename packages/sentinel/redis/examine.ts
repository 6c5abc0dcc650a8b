import { Redis } from "ioredis";
import { connectTo, endOf } from "./connection.ts";
import { type Finding, judge, NEEDLESS_COMMANDS, type Reading, SETTING_NAMES } from "./demands.ts";

const INFO_SECTIONS = ["persistence", "replication"] as const;
/** More than anybody has; a server that names more is not followed further. */
const REPLICAS_MAX = 16;
const REPLICA_WAIT_MS = 1000;
/** What a server answers that may tell later, or to somebody who is let in; other refusals are its last word. */
const NOT_YET = /^(LOADING|BUSY|NOAUTH|WRONGPASS|MASTERDOWN|TRYAGAIN)/;

/**
 * Reads what a Redis does with what it holds, and the same of each replica that it names, by the same log-in.
 *
 * @throws when it does not answer
 */
export async function examine(connection: Redis): Promise<readonly Finding[]> {
  const reading = await read(connection);
  const replicas = replicasOf(reading.info);
  const ofReplicas = await Promise.all(replicas.map((place) => examineReplica(connection, place)));
  return [...judge(reading), ...ofReplicas.flat()];
}

/**
 * Examines the Redis of a URL once.
 *
 * @returns undefined when it cannot be reached
 */
export async function examineOnce(
  url: string,
  { caPem, waitMs = REPLICA_WAIT_MS }: { readonly caPem?: string | undefined; readonly waitMs?: number } = {},
): Promise<readonly Finding[] | undefined> {
  return examineWhenReady(connectTo(url, caPem, waitMs), waitMs, examine);
}

async function examineWhenReady(
  connection: Redis,
  waitMs: number,
  look: (connection: Redis) => Promise<readonly Finding[]>,
): Promise<readonly Finding[] | undefined> {
  try {
    const isReady = await new Promise<boolean>((resolve) => {
      connection.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNREFUSED") resolve(false); // nobody listens there; others may be busy
      });
      connection.once("ready", () => resolve(true));
      connection.once("end", () => resolve(false)); // no sentinel tells of one
      setTimeout(() => resolve(false), waitMs).unref();
    });
    return isReady ? await look(connection) : undefined;
  } catch {
    return undefined;
  } finally {
    await endOf(connection);
  }
}

async function examineReplica(connection: Redis, place: Place): Promise<readonly Finding[]> {
  const { sentinels: _, ...options } = connection.options; // they would lead to the master again
  const replica = new Redis({
    ...options,
    ...place,
    retryStrategy: () => null,
    lazyConnect: false,
  });
  const found = await examineWhenReady(replica, REPLICA_WAIT_MS, async (own) =>
    judge(await read(own), "replica"),
  );
  if (found !== undefined) return found;
  const text = "A replica could not be examined: it cannot be reached with this log-in from here.";
  return [{ of: "replica", about: "connection", weight: "minor", text, mend: undefined }];
}

async function read(connection: Redis): Promise<Reading> {
  const ask = (command: string, ...args: string[]) => told(connection.call(command, ...args));
  const [answers, sections, allowedCommands] = await Promise.all([
    // One each: only Redis 7 takes several at once.
    Promise.all(SETTING_NAMES.map((name) => ask("CONFIG", "GET", name))),
    Promise.all(INFO_SECTIONS.map((section) => ask("INFO", section))),
    rightsOf(ask),
  ]);
  const settings = new Map<string, string>();
  for (const answer of answers) {
    if (Array.isArray(answer) && answer.length === 2) settings.set(String(answer[0]), String(answer[1]));
  }
  const lines = sections.flatMap((section) => String(section ?? "").split(/\r?\n/));
  const info = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^(\w+):(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) info.set(name, value);
  }
  return { settings, info, allowedCommands };
}

/** `ACL DRYRUN` came with Redis 7; whoever may not ask it most likely has few rights. */
async function rightsOf(
  ask: (command: string, ...args: string[]) => Promise<unknown>,
): Promise<readonly string[] | undefined> {
  const user = await ask("ACL", "WHOAMI");
  if (typeof user !== "string") return undefined;
  const verdicts = await Promise.all(
    NEEDLESS_COMMANDS.map((name) =>
      ask("ACL", "DRYRUN", user, name, ...(name === "debug" ? ["object", "x"] : [])),
    ),
  );
  if (verdicts.includes(undefined)) return undefined;
  return NEEDLESS_COMMANDS.filter((_, at) => verdicts[at] === "OK");
}

/** @returns undefined where the server refuses to say */
async function told(answer: Promise<unknown>): Promise<unknown> {
  return answer.catch((error: unknown) => {
    const isRefusal = error instanceof Error && error.name === "ReplyError" && !NOT_YET.test(error.message);
    if (isRefusal) return undefined;
    throw error;
  });
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Where its replicas are: `slave0:ip=…,port=…,state=online,…` in `INFO replication`. */
function replicasOf(info: ReadonlyMap<string, string>): Place[] {
  const lines = Array.from(info).filter(([name]) => /^slave\d+$/.test(name));
  return lines.slice(0, REPLICAS_MAX).flatMap(([, value]) => {
    const fields = new Map(value.split(",").map((field) => field.split("=") as [string, string]));
    const [host, port] = [fields.get("ip"), Number(fields.get("port"))];
    return host && Number.isInteger(port) && port > 0 ? [{ host, port }] : [];
  });
}
