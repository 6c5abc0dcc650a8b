import { readdirSync } from "node:fs";
import { join } from "node:path";
import { requirements, run } from "@securewave/testing";
import { parsePatroniVersion, takesLeaderKeyBlindly } from "../patroni-version.ts";

const DEBIAN_POSTGRES_DIR = "/usr/lib/postgresql";
/** A program to run in place of the machine's `patroni`, such as that of a newer release. */
const PATRONI_VARIABLE = "SECUREWAVE_PATRONI";

/** Where Debian put PostgreSQL's programs, of the newest release; undefined where there is none. */
export function postgresBinDir(): string | undefined {
  try {
    const [newest] = readdirSync(DEBIAN_POSTGRES_DIR).sort((a, b) => Number(b) - Number(a));
    return newest === undefined ? undefined : join(DEBIAN_POSTGRES_DIR, newest, "bin");
  } catch {
    return undefined;
  }
}

export function patroniProgram(): string {
  return process.env[PATRONI_VARIABLE] ?? "patroni";
}

/** What a suite needs that opens a loopback cluster. */
export function clusterRequirements() {
  return requirements({
    tools: ["patroni", "etcd", "haproxy", "redis-server", "redis-sentinel"],
    others: [postgresBinDir() === undefined ? "PostgreSQL of Debian" : undefined],
  });
}

/** The version of Patroni that is here, and how it may talk to etcd without losing what was acknowledged. */
export async function patroniHere(): Promise<{ version: string; etcdInterface: "etcd" | "etcd3" }> {
  const { stdout } = await run(patroniProgram(), ["--version"]);
  const version = parsePatroniVersion(stdout);
  if (version === undefined) throw new Error("patroni does not tell its version");
  return { version: version.join("."), etcdInterface: takesLeaderKeyBlindly(version) ? "etcd" : "etcd3" };
}
