import type { Node } from "@securewave/contracts";
import { forwardPort, type TestRedis } from "@securewave/testing";
import { type ControlPlane, killControlPlane } from "./control-plane.ts";
import type { DebianPostgres } from "./debian-postgres.ts";
import { CONTROL_ADDRESS, openEntrance } from "./fleet-network.ts";
import { logIn, type Person, setUpAdmin } from "./people.ts";
import { createReplicaStarter } from "./replicas.ts";

export const REPLICA_NAMES = ["first", "second"] as const;
export type ReplicaName = (typeof REPLICA_NAMES)[number];

const PORTS = { first: 8001, second: 8002 };
/** Where nodes find the service, by the replica that they are led to while it is there. */
const ENTRANCES = { first: 8000, second: 8100 };
const ADMIN = "admin@example.org";

export function urlLeadingTo(name: ReplicaName): string {
  return `http://${CONTROL_ADDRESS}:${ENTRANCES[name]}`;
}

/** One of the processes that are the service. */
export interface Replica {
  readonly baseUrl: string;
  readonly admin: Person;
  /** Whether a node connected to this process since it started, and did not leave. */
  hasConnection(node: Node): boolean;
  start(): Promise<void>;
  /** Asks it to end. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export type Replicas = Readonly<Record<ReplicaName, Replica>>;

interface Below {
  readonly dir: string;
  readonly control: string;
  readonly postgres: DebianPostgres;
  readonly redis: TestRedis;
}

/** @param closing gets what ends them */
export async function openReplicas(
  { dir, control, postgres, redis }: Below,
  closing: (() => unknown)[],
): Promise<Replicas> {
  const launch = createReplicaStarter({
    dir,
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    namespace: control,
    hasNoLimits: true,
    env: { PUBLIC_URL: urlLeadingTo("first"), NODE_PROBES: "on" },
  });

  async function openReplica(name: ReplicaName, findAdmin: typeof setUpAdmin): Promise<Replica> {
    let plane: ControlPlane = await launch(name, PORTS[name]);
    const way = await forwardPort(control, { host: "127.0.0.1", port: PORTS[name] });
    const baseUrl = `http://127.0.0.1:${way.port}`;
    closing.push(async () => {
      await plane.process.stop();
      await way.close();
    });
    return {
      baseUrl,
      admin: await findAdmin(baseUrl, plane.setupLink),
      hasConnection: ({ id }) =>
        plane.process
          .lines()
          .findLast((line) => line.includes(id) && /"event":"node_(dis)?connected"/.test(line))
          ?.includes("node_connected") ?? false,
      async start() {
        plane = await launch(name, PORTS[name]);
      },
      stop: async () => void (await plane.process.stop()),
      kill: () => killControlPlane(plane),
    };
  }

  const first = await openReplica("first", setUpAdmin);
  const second = await openReplica("second", (baseUrl) => logIn(baseUrl, ADMIN));
  await openEntrance(control, {
    [ENTRANCES.first]: [PORTS.first, PORTS.second],
    [ENTRANCES.second]: [PORTS.second, PORTS.first],
  });
  return { first, second };
}
