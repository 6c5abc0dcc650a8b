import { freeTcpPort } from "@securewave/testing";
import type { ClusterPlan } from "../plan.ts";
import type { Folders } from "./folders.ts";

const HOST = "127.0.0.1";

export interface LoopbackPlanOptions {
  readonly folders: Folders;
  /** Of PostgreSQL's programs. */
  readonly binDir: string;
  readonly etcdInterface: ClusterPlan["etcdInterface"];
}

/** A whole cluster on free ports of the loopback, in scratch folders. */
export async function loopbackPlan(options: LoopbackPlanOptions): Promise<ClusterPlan> {
  const { folders, binDir, etcdInterface } = options;
  const taken = new Set<number>();
  const free = async (): Promise<number> => {
    const port = await freeTcpPort(HOST);
    if (taken.has(port)) return free();
    taken.add(port);
    return port;
  };
  const of = <T>(count: number, make: (at: number) => Promise<T>) =>
    Promise.all(Array.from({ length: count }, (_, index) => make(index + 1)));
  const redisPlace = (kind: string) => async (at: number) => ({
    name: `${kind}-${at}`,
    host: HOST,
    port: await free(),
    dataDir: folders.folder(`${kind}-${at}`),
  });
  return {
    name: "securewave",
    networks: [`${HOST}/32`],
    etcdInterface,
    etcd: await of(3, async (at) => ({
      name: `etcd-${at}`,
      host: HOST,
      clientPort: await free(),
      peerPort: await free(),
      dataDir: folders.folder(`etcd-${at}`),
    })),
    database: await of(3, async (at) => ({
      name: `database-${at}`,
      host: HOST,
      port: await free(),
      restPort: await free(),
      dataDir: `${folders.folder(`database-${at}`)}/data`,
      socketDir: folders.folder(`socket-${at}`),
      binDir,
    })),
    proxy: { host: HOST, writePort: await free(), readPort: await free(), apiPort: await free() },
    redis: await of(3, redisPlace("redis")),
    sentinels: await of(3, redisPlace("sentinel")),
    api: await of(2, async (at) => ({ name: `api-${at}`, host: HOST, port: await free() })),
  };
}
