import type { ClusterPlan, RedisMember } from "./plan.ts";

/** After so long without an answer a sentinel holds a server for lost. */
const DOWN_AFTER_MS = 2000;
const FAIL_OVER_MS = 10_000;

/**
 * A Redis that writes nothing to its disk, also not as a replica. The first of the plan begins as the master.
 *
 * Passwords stand in a file beside it that `includes` names: `requirepass` and `masterauth`.
 */
export function renderRedis(
  plan: ClusterPlan,
  member: RedisMember,
  includes: readonly string[] = [],
): string {
  const [first] = plan.redis;
  const isFirst = first === undefined || first.name === member.name;
  return `bind ${member.host}
port ${member.port}
dir ${member.dataDir}
${isFirst ? "" : `replicaof ${first.host} ${first.port}\n`}
# Nothing that it holds reaches a disk: not when it saves, stops, crashes, sends to a replica, or is one.
save ""
appendonly no
shutdown-on-sigterm nosave
shutdown-on-sigint nosave
repl-diskless-sync yes
repl-diskless-sync-delay 0
repl-diskless-load swapdb
slowlog-log-slower-than -1
latency-monitor-threshold 0
crash-log-enabled no
notify-keyspace-events ""
loglevel warning

maxmemory 256mb
maxmemory-policy noeviction
# A master that its replicas have left takes no more writes: there may be another by then.
min-replicas-to-write 1
min-replicas-max-lag 5
replica-serve-stale-data no
${includesOf(includes)}`;
}

/** A sentinel: they agree on who leads, and tell it to whoever asks. They write their state into this file. */
export function renderSentinel(
  plan: ClusterPlan,
  member: RedisMember,
  includes: readonly string[] = [],
): string {
  const [first] = plan.redis;
  const quorum = Math.floor(plan.sentinels.length / 2) + 1;
  return `bind ${member.host}
port ${member.port}
dir ${member.dataDir}
loglevel warning
sentinel monitor ${plan.name} ${first?.host} ${first?.port} ${quorum}
sentinel down-after-milliseconds ${plan.name} ${DOWN_AFTER_MS}
sentinel failover-timeout ${plan.name} ${FAIL_OVER_MS}
sentinel parallel-syncs ${plan.name} 1
sentinel deny-scripts-reconfig yes
${includesOf(includes)}`;
}

/** `REDIS_URL` of the replicas, without the password. */
export function redisUrlOf(plan: ClusterPlan, password?: string): string {
  const places = plan.sentinels.map(({ host, port }) => `${host}:${port}`);
  const login = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return `redis+sentinel://${login}${places.join(",")}/${plan.name}`;
}

function includesOf(paths: readonly string[]): string {
  return paths.map((path) => `include ${path}\n`).join("");
}
