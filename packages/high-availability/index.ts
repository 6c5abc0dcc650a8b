export { renderEtcd } from "./etcd.ts";
export { renderHaproxy } from "./haproxy.ts";
export { renderPatroni } from "./patroni.ts";
export { PATRONI_MIN, parsePatroniVersion, takesLeaderKeyBlindly } from "./patroni-version.ts";
export { type ClusterPlan, examplePlan, mistakesIn } from "./plan.ts";
export { redisUrlOf, renderRedis, renderSentinel } from "./redis.ts";
