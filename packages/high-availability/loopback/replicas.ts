import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type api, createClient, type ResultOf } from "@securewave/contracts";
import { eventually, freeTcpPort } from "@securewave/testing";
import { CONTROL_PLANE } from "../../../scripts/program.mjs";
import type { LoopbackCluster } from "./cluster.ts";
import type { Writer } from "./ledger.ts";
import { createPart, type Part } from "./processes.ts";

const ENTRY = fileURLToPath(new URL(`../../../${CONTROL_PLANE.entry}`, import.meta.url));
const PASSWORD = "walnut-Ferry-19-lantern";
/** One address asks here what many people ask elsewhere. */
const UNLIMITED = {
  RATE_LIMIT_GLOBAL: "1000000",
  RATE_LIMIT_IP: "1000000",
  RATE_LIMIT_USER: "1000000",
  RATE_LIMIT_SENSITIVE: "1000000",
};
const SETUP_LINK = /\/setup#token=(\S+)/;
const KEPT_VARIABLES = ["PATH", "HOME", "LANG", "TMPDIR"];

export interface Replicas {
  readonly parts: readonly Part[];
  /** For the admin, by HAProxy. */
  readonly accessToken: string;
  close(): Promise<void>;
}

/**
 * Starts the plan's replicas of the built control plane on the cluster, behind its HAProxy, and makes the first admin.
 *
 * @param settings of the service, by their variables
 */
export async function openReplicas(
  cluster: LoopbackCluster,
  settings: Readonly<Record<string, string>> = {},
): Promise<Replicas> {
  await using opening = new AsyncDisposableStack();
  const cleared = Object.keys(process.env).filter((name) => !KEPT_VARIABLES.includes(name));
  const shared = {
    ...Object.fromEntries(cleared.map((name) => [name, undefined])),
    ...CONTROL_PLANE.env,
    NODE_ENV: "production",
    DATABASE_URL: cluster.databaseUrl,
    DATABASE_POOL_MAX: "5",
    REDIS_URL: cluster.redisUrl,
    JWT_SECRET: randomBytes(32).toString("hex"),
    MASTER_KEY: randomBytes(32).toString("base64"),
    DATA_KEY_FILE: join(cluster.folder, "never-in-backups", "data.key"),
    TRUSTED_PROXIES: cluster.plan.proxy.host,
    PUBLIC_URL: "http://vpn.example.org",
    LOCAL_NODE: "off",
    NODE_PROBES: "off",
    ...UNLIMITED,
    ...settings,
  };
  const parts: Part[] = [];
  for (const { name, host, port } of cluster.plan.api) {
    const part = createPart({
      name,
      command: process.execPath,
      args: [...CONTROL_PLANE.flags, ENTRY],
      cwd: cluster.folder,
      env: {
        ...shared,
        API_HOST: host,
        API_PORT: String(port),
        METRICS_PORT: String(await freeTcpPort()),
        DATA_DIR: join(cluster.folder, name),
      },
      isReady: () => createClient({ baseUrl: `http://${host}:${port}` }).service.ready(),
    });
    opening.defer(part.kill);
    await part.start(); // the first migrates
    parts.push(part);
  }
  const accessToken = await makeAdmin(cluster, parts);
  const closing = opening.move();
  return { parts, accessToken, close: () => closing.disposeAsync() };
}

async function makeAdmin(cluster: LoopbackCluster, [first]: readonly Part[]): Promise<string> {
  const [, token = ""] = await eventually(() => {
    const found = SETUP_LINK.exec(first?.lineOf(SETUP_LINK) ?? "");
    if (found === null) throw new Error("the first replica printed no link for the first admin");
    return found;
  });
  const visitor = createClient({ baseUrl: cluster.apiUrl });
  await eventually(() => visitor.service.ready()); // HAProxy has found them
  const admin = { email: "admin@example.org", password: PASSWORD };
  await visitor.service.setUp({ body: { token, ...admin } });
  return (await visitor.sessions.logIn({ body: admin })).access_token;
}

/** How long a caller waits for an answer before it counts as refused. */
const ANSWER_MS = 10_000;

/** Makes so many writers that register nodes by the API: a row, its place in the pool of addresses, an entry of the trail. */
export function createApiWriters(
  cluster: LoopbackCluster,
  accessToken: string,
  run: string,
  count: number,
): Writer[] {
  const client = createClient({
    baseUrl: cluster.apiUrl,
    token: () => accessToken,
    fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(ANSWER_MS) }),
  });
  return Array.from({ length: count }, (_, writer): Writer => {
    let written = 0;
    return {
      async write() {
        const name = `${run}-${writer}-${++written}`;
        await client.nodes.create({
          body: { name, region: "loopback" },
        });
        return name;
      },
      async read() {
        const names = new Set<string>();
        let cursor: string | null = null;
        do {
          const page: ResultOf<typeof api.nodes.list> = await client.nodes.list({
            query: { limit: 100, ...(cursor === null ? {} : { cursor }) },
          });
          for (const { name } of page.items) names.add(name);
          cursor = page.next_cursor;
        } while (cursor !== null);
        return names;
      },
      close: async () => undefined,
    };
  });
}
