import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@securewave/testing";
import { signalProcess } from "@securewave/testing/process-signals";
import type { LoopbackCluster } from "./cluster.ts";
import type { Part } from "./processes.ts";

/** A fault, and what ends it. */
export interface Scenario {
  readonly name: string;
  /** For people. */
  readonly what: string;
  /** What is hit; a fault of the database shows in plain SQL, the others only in answers of the control plane. */
  readonly hits: "database" | "redis" | "replica";
  /** Does the harm; resolves when it is done, and where it lasts, when it is over. */
  strike(stage: Stage): Promise<void>;
  /** Puts right what stays wrong by itself. */
  mend?(): Promise<void>;
}

/** What there is to be harmed. */
export interface Stage {
  readonly cluster: LoopbackCluster;
  /** Of the control plane; none where only the database is looked at. */
  readonly replicas: readonly Part[];
}

/** Longer than the leader's place lasts, so that another leads when the frozen one goes on. */
const FROZEN_MS = 35_000;
const STANDBY_FROZEN_MS = 12_000;
const REDIS_FROZEN_MS = 8000;
const ETCD_GONE_MS = 35_000;

/** @param until waits for what must happen before the victim comes back */
function lost<Some extends Part>(
  pick: (stage: Stage) => Promise<Some> | Some,
  until?: (stage: Stage, victim: Part) => Promise<void>,
) {
  let victim: Part | undefined;
  return {
    async strike(stage: Stage) {
      victim = await pick(stage);
      await victim.kill();
      await until?.(stage, victim);
    },
    async mend() {
      await victim?.start();
    },
  };
}

/** One that comes back before it is missed leads on, and is empty. */
async function anotherRedisLeads({ cluster }: Stage, victim: Part): Promise<void> {
  await eventually(async () => {
    if ((await cluster.redisMaster()) === victim) throw new Error(`${victim.name} leads still`);
  });
}

async function frozenFor(ms: number, freeze: () => void, thaw: () => void): Promise<void> {
  freeze();
  try {
    await pause(ms);
  } finally {
    thaw();
  }
}

const first = <Some>([part]: readonly Some[]): Some => {
  if (part === undefined) throw new Error("there is none");
  return part;
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "switchover",
    what: "the lead is handed over as planned",
    hits: "database",
    strike: ({ cluster }) => cluster.switchOver(),
  },
  {
    name: "postmaster-killed",
    what: "PostgreSQL's first process is killed on the leader",
    hits: "database",
    async strike({ cluster }) {
      const pid = (await cluster.leader()).postmaster();
      if (pid === undefined) throw new Error("no PostgreSQL runs");
      signalProcess(pid, "SIGKILL");
    },
  },
  {
    name: "machine-lost",
    what: "all processes of the leader's machine are killed at once",
    hits: "database",
    ...lost(({ cluster }) => cluster.leader()),
  },
  {
    name: "patroni-frozen",
    what: "the leader's Patroni hangs for 35 s, its PostgreSQL does not",
    hits: "database",
    async strike({ cluster }) {
      const pids = (await cluster.leader()).patroni();
      const tell = (signal: NodeJS.Signals) => () => {
        for (const pid of pids) signalProcess(pid, signal);
      };
      await frozenFor(FROZEN_MS, tell("SIGSTOP"), tell("SIGCONT"));
    },
  },
  {
    name: "machine-frozen",
    what: "the leader's machine hangs for 35 s and goes on",
    hits: "database",
    async strike({ cluster }) {
      const leader = await cluster.leader();
      await frozenFor(FROZEN_MS, leader.freeze, leader.thaw);
    },
  },
  {
    name: "standby-frozen",
    what: "the machine of the synchronous standby hangs for 12 s",
    hits: "database",
    async strike({ cluster }) {
      const standby = await cluster.synchronousStandby();
      await frozenFor(STANDBY_FROZEN_MS, standby.freeze, standby.thaw);
    },
  },
  {
    name: "etcd-member-lost",
    what: "one member of etcd is killed",
    hits: "database",
    ...lost(({ cluster }) => first(cluster.etcd)),
  },
  {
    name: "etcd-majority-lost",
    what: "two of three members of etcd are away for 35 s",
    hits: "database",
    async strike({ cluster }) {
      const victims = cluster.etcd.slice(0, 2);
      await Promise.all(victims.map((part) => part.kill()));
      await pause(ETCD_GONE_MS);
      await Promise.all(victims.map((part) => part.start()));
    },
  },
  {
    name: "redis-killed",
    what: "the Redis that leads is killed",
    hits: "redis",
    ...lost(({ cluster }) => cluster.redisMaster(), anotherRedisLeads),
  },
  {
    name: "redis-frozen",
    what: "the Redis that leads hangs for 8 s",
    hits: "redis",
    async strike({ cluster }) {
      const master = await cluster.redisMaster();
      await frozenFor(REDIS_FROZEN_MS, master.freeze, master.thaw);
    },
  },
  {
    name: "redis-switchover",
    what: "the sentinels let another Redis lead",
    hits: "redis",
    strike: ({ cluster }) => cluster.failRedisOver(),
  },
  {
    name: "replica-killed",
    what: "one of the two replicas of the control plane is killed",
    hits: "replica",
    ...lost(({ replicas }) => first(replicas)),
  },
];
