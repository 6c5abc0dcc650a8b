import { renderEtcd } from "./etcd.ts";
import { renderHaproxy } from "./haproxy.ts";
import { renderPatroni } from "./patroni.ts";
import type { ClusterPlan } from "./plan.ts";
import { renderRedis, renderSentinel } from "./redis.ts";

/** Beside the files of Redis: whoever may read the others may not read the passwords. */
const REDIS_SECRETS = "/etc/redis/securewave-secrets.conf";
const SENTINEL_SECRETS = "/etc/redis/securewave-sentinel-secrets.conf";

/** All configuration files of a cluster: text by path, of one folder for each member. */
export function renderCluster(plan: ClusterPlan): ReadonlyMap<string, string> {
  return new Map([
    ...plan.etcd.map((member) => [`${member.name}/etcd.yml`, renderEtcd(plan, member)] as const),
    ...plan.database.map((member) => [`${member.name}/patroni.yml`, renderPatroni(plan, member)] as const),
    ...plan.redis.map(
      (member) => [`${member.name}/redis.conf`, renderRedis(plan, member, [REDIS_SECRETS])] as const,
    ),
    ...plan.sentinels.map(
      (member) => [`${member.name}/sentinel.conf`, renderSentinel(plan, member, [SENTINEL_SECRETS])] as const,
    ),
    ["haproxy.cfg", renderHaproxy(plan)] as const,
  ]);
}
