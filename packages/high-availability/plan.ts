/** Where a part of the cluster runs and what it listens on. */
export interface Place {
  /** Unique in its kind; kebab-case. */
  readonly name: string;
  readonly host: string;
}

export interface EtcdMember extends Place {
  readonly clientPort: number;
  readonly peerPort: number;
  readonly dataDir: string;
}

export interface DatabaseMember extends Place {
  readonly port: number;
  /** Of Patroni's REST interface, by which HAProxy learns who leads. */
  readonly restPort: number;
  readonly dataDir: string;
  /** Where the socket lies. */
  readonly socketDir: string;
  /** Of PostgreSQL's programs. */
  readonly binDir: string;
}

export interface RedisMember extends Place {
  readonly port: number;
  readonly dataDir: string;
}

export interface ApiReplica extends Place {
  readonly port: number;
}

export interface ProxyPorts {
  readonly host: string;
  /** PostgreSQL: the member that leads. */
  readonly writePort: number;
  /** PostgreSQL: those that follow closely. */
  readonly readPort: number;
  /** HTTP: a replica of the control plane that is ready. */
  readonly apiPort: number;
}

/** One highly available SecureWave, from which all configuration files are rendered. None of them holds a secret. */
export interface ClusterPlan {
  /** Patroni's scope and Sentinel's name of the group. */
  readonly name: string;
  /** CIDR ranges that the members, the proxies and the replicas call from. */
  readonly networks: readonly string[];
  readonly etcd: readonly EtcdMember[];
  /**
   * How Patroni talks to etcd. `etcd` is version 2 of its interface, the only one with which Patroni before 3.0.3 takes
   * the leader's key by comparing: see docs/decisions/0008.
   */
  readonly etcdInterface: "etcd" | "etcd3";
  /** At least three: with two, writes wait for as long as one of them is away. */
  readonly database: readonly DatabaseMember[];
  readonly proxy: ProxyPorts;
  /** At least three, for the same reason. */
  readonly redis: readonly RedisMember[];
  readonly sentinels: readonly RedisMember[];
  readonly api: readonly ApiReplica[];
}

/** Whatever breaks a promise of the cluster, in sentences; none for a plan that holds. */
export function mistakesIn(plan: ClusterPlan): string[] {
  const mistakes: string[] = [];
  const atLeast = (what: string, places: readonly Place[], least: number) => {
    if (places.length < least) mistakes.push(`${what}: ${places.length}, and not at least ${least}`);
    if (new Set(places.map(({ name }) => name)).size < places.length)
      mistakes.push(`${what}: two have the same name`);
  };
  if (!/^[a-z][a-z0-9-]*$/.test(plan.name)) mistakes.push("the name is not in kebab-case");
  atLeast("members of etcd", plan.etcd, 3);
  atLeast("members of PostgreSQL", plan.database, 3);
  atLeast("members of Redis", plan.redis, 3);
  atLeast("sentinels", plan.sentinels, 3);
  atLeast("replicas of the control plane", plan.api, 2);
  for (const [what, places] of [
    ["etcd", plan.etcd],
    ["sentinels", plan.sentinels],
  ] as const) {
    if (places.length % 2 === 0) mistakes.push(`${what}: an even number bears no more losses than one less`);
  }
  return mistakes;
}

/** The machines of `deploy/high-availability`: addresses that RFC 5737 keeps for examples. */
export function examplePlan(): ClusterPlan {
  const machines = [1, 2, 3].map((at) => ({ at, host: `192.0.2.${10 + at}` }));
  return {
    name: "securewave",
    networks: ["192.0.2.0/24"],
    etcd: machines.map(({ at, host }) => ({
      name: `etcd-${at}`,
      host,
      clientPort: 2379,
      peerPort: 2380,
      dataDir: "/var/lib/etcd/securewave",
    })),
    etcdInterface: "etcd3",
    database: machines.map(({ at, host }) => ({
      name: `database-${at}`,
      host,
      port: 5432,
      restPort: 8008,
      dataDir: "/var/lib/postgresql/securewave",
      socketDir: "/run/postgresql",
      binDir: "/usr/lib/postgresql/17/bin",
    })),
    proxy: { host: "127.0.0.1", writePort: 5000, readPort: 5001, apiPort: 8080 },
    redis: machines.map(({ at, host }) => ({
      name: `redis-${at}`,
      host,
      port: 6379,
      dataDir: "/var/lib/redis",
    })),
    sentinels: machines.map(({ at, host }) => ({
      name: `sentinel-${at}`,
      host,
      port: 26379,
      dataDir: "/var/lib/redis",
    })),
    api: machines.slice(0, 2).map(({ at, host }) => ({ name: `api-${at}`, host, port: 8000 })),
  };
}
