import type { Catalogue } from "../catalogue.ts";
import type { Finding } from "../finding.ts";

const MEND = "Name it by `store.nameOf(kind, …)`, and list the kind in packages/privacy/rooms/redis.ts.";
const NAME = /^securewave:([a-z-]+):([A-Za-z0-9_-]{22})$/;

/** What a Redis was asked, as its MONITOR tells it. */
export interface RedisCommand {
  readonly name: string;
  readonly args: readonly string[];
}

/** Commands of which the first argument is a name, or all are. */
const ON_ONE_NAME = new Set(
  "get set setex psetex getset getex getdel incr incrby decr append hset hmset hget hmget hgetall hdel hincrby hkeys zadd zrem zrange zrangebyscore zscore zcard zincrby lpush rpush lrange sadd srem smembers pexpire expire pexpireat expireat persist pttl ttl type pfadd pfcount setbit getbit bitfield xadd publish".split(
    " ",
  ),
);
const ON_NAMES = new Set("del unlink exists subscribe ssubscribe mget".split(" "));
/** They read no name, or the store's own workings. */
const ON_NONE = new Set(
  "auth hello client ping info select config command script evalsha eval quit echo time unsubscribe".split(
    " ",
  ),
);
/** They keep something beyond the name's own life, or tell of everybody. */
const FORBIDDEN = new Set(
  "save bgsave bgrewriteaof monitor debug migrate dump keys scan slowlog persist".split(" "),
);

/** Holds what processes ask of Redis against the catalogue: each name is of a listed kind and tells nobody what it stands for. */
export function findInRedisCommands(commands: readonly RedisCommand[], catalogue: Catalogue): Finding[] {
  const findings = commands.flatMap(({ name, args }): Finding[] => {
    if (FORBIDDEN.has(name))
      return [
        {
          rule: "listed: redis",
          place: name,
          problem: "is a command that keeps or tells too much",
          mend: "Do without it.",
        },
      ];
    if (ON_NONE.has(name)) return [];
    if (!ON_ONE_NAME.has(name) && !ON_NAMES.has(name))
      return [
        {
          rule: "listed: redis",
          place: name,
          problem: "is a command that the guard does not know",
          mend: "Tell packages/privacy/guard/redis.ts which of its arguments are names.",
        },
      ];
    const names = ON_NAMES.has(name) ? args : args.slice(0, 1);
    return names.flatMap((key) => findInName(key, catalogue));
  });
  return [...new Map(findings.map((finding) => [`${finding.rule} ${finding.place}`, finding])).values()];
}

function findInName(key: string, catalogue: Catalogue): Finding[] {
  const [, kind] = NAME.exec(key) ?? [];
  const rule = "listed: redis";
  if (kind === undefined)
    return [
      {
        rule,
        place: shapeOf(key),
        problem: "is a name that is not of the form `securewave:kind:hash`",
        mend: MEND,
      },
    ];
  if (catalogue.find("redis", kind) === undefined)
    return [
      { rule, place: kind, problem: "is a kind of names that the catalogue does not list", mend: MEND },
    ];
  return [];
}

/** What may be said of a name that may hold anything. */
function shapeOf(key: string): string {
  return key
    .replace(/[A-Za-z]+/g, "a")
    .replace(/\d+/g, "0")
    .slice(0, 40);
}

/** A key that was found in Redis, and how long it has to live; -1 for ever. */
export interface RedisKey {
  readonly name: string;
  readonly lifeMs: number;
}

/** Holds the lives of keys against the catalogue. */
export function findInRedisKeys(keys: readonly RedisKey[], catalogue: Catalogue): Finding[] {
  return keys.flatMap(({ name, lifeMs }): Finding[] => {
    const [, kind = ""] = NAME.exec(name) ?? [];
    const group = catalogue.find("redis", kind);
    if (group === undefined) return findInName(name, catalogue);
    const mostMs = (group.lifeSeconds ?? 0) * 1000;
    if (lifeMs >= 0 && lifeMs <= mostMs) return [];
    const problem =
      lifeMs < 0
        ? "has no end"
        : `lives ${Math.ceil(lifeMs / 1000)} s, and is listed with ${mostMs / 1000} s`;
    return [{ rule: "lifetimes", place: kind, problem, mend: "Give it an expiry within its entry's." }];
  });
}
