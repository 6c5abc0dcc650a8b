import { randomBytes } from "node:crypto";
import { type CheckedSetting, type Source, type Surface, textSource } from "../surface.ts";
import { filesSurface } from "./files.ts";
import { openRawRedis, type RawRedis, type RedisAt, stringsOf } from "./resp.ts";

export interface RedisAccess extends RedisAt {
  /** Where it writes its files; undefined where that is out of reach. */
  readonly dir?: string;
  readonly replicaDir?: string;
}

/** Row 18 of the leak table: what Redis holds, and what it writes. */
export function redisSurfaces(access: RedisAccess): Surface[] {
  const { dir, replicaDir } = access;
  return [
    memorySurface(access),
    ...(dir === undefined
      ? []
      : [filesSurface({ id: "redis-files", title: "Redis: files", rows: [18], dir })]),
    ...(replicaDir === undefined
      ? []
      : [
          filesSurface({
            id: "redis-replica",
            title: "Redis: files of the replica",
            rows: [18],
            dir: replicaDir,
          }),
        ]),
  ];
}

/** The control is a key of a minute's life, with a value of the same. */
function memorySurface(at: RedisAt): Surface {
  const key = `ghost-control-${randomBytes(6).toString("hex")}`;
  const asking = async (work: (redis: RawRedis) => Promise<void>) => {
    const redis = await openRawRedis(at);
    try {
      await work(redis);
    } finally {
      redis.close();
    }
  };
  return {
    id: "redis-memory",
    title: "Redis: keys, values and slow log",
    rows: [18],
    async plant(control) {
      await asking(async ({ ask }) => void (await ask("SET", key, `at ${control.ipv4}`, "EX", "600")));
      return [{ kind: "ipv4", encoding: "text" }];
    },
    clear: () => asking(async ({ ask }) => void (await ask("DEL", key))),
    async *collect() {
      const redis = await openRawRedis(at);
      try {
        yield* everything(redis);
      } finally {
        redis.close();
      }
    },
    async settings() {
      const redis = await openRawRedis(at);
      try {
        return await settingsOf(redis);
      } finally {
        redis.close();
      }
    },
  };
}

/** How to read a value of each type whole. */
const READ: Readonly<Record<string, readonly [string, ...string[]]>> = {
  string: ["GET"],
  hash: ["HGETALL"],
  list: ["LRANGE", "0", "-1"],
  set: ["SMEMBERS"],
  zset: ["ZRANGE", "0", "-1", "WITHSCORES"],
  stream: ["XRANGE", "-", "+"],
};

async function* everything({ ask }: RawRedis): AsyncGenerator<Source> {
  const keyspace = (await ask("INFO", "keyspace")).toString("latin1");
  for (const [, database = "0"] of keyspace.matchAll(/^db(\d+):/gm)) {
    await ask("SELECT", database);
    let cursor = "0";
    do {
      const [next = "0", ...keys] = stringsOf(await ask("SCAN", cursor, "COUNT", "1000"));
      cursor = next;
      for (const key of keys) {
        const type = (await ask("TYPE", key)).toString("latin1").slice(1).trim();
        const [command, ...rest] = READ[type] ?? ["DUMP"];
        const value = await ask(command, key, ...rest).catch(() => Buffer.from("refused"));
        yield textSource(`database ${database}`, Buffer.concat([Buffer.from(`${key}\n`, "latin1"), value]));
      }
    } while (cursor !== "0");
  }
  await ask("SELECT", "0");
  // Who is connected is of no interest here but for addresses of customers, which none may be.
  for (const words of [
    ["SLOWLOG", "GET", "-1"],
    ["CLIENT", "LIST"],
    ["ACL", "LOG"],
    ["LATENCY", "LATEST"],
  ] as const) {
    yield textSource(words.join(" "), await ask(...words).catch(() => Buffer.alloc(0)));
  }
}

const WANTED: Readonly<Record<string, string>> = {
  save: "",
  appendonly: "no",
  "repl-diskless-load": "swapdb",
  "slowlog-log-slower-than": "-1",
};

async function settingsOf({ ask }: RawRedis): Promise<CheckedSetting[]> {
  const found: CheckedSetting[] = [];
  for (const [name, wanted] of Object.entries(WANTED)) {
    const [, value = "unknown"] = stringsOf(await ask("CONFIG", "GET", name).catch(() => Buffer.alloc(0)));
    found.push({ name: `Redis: ${name}`, value, isRight: value === wanted });
  }
  return found;
}
