import { isBefore, PATRONI_MIN, parsePatroniVersion, takesLeaderKeyBlindly } from "./patroni-version.ts";

/** Something about a running cluster that can cost what was acknowledged, or its fail-over. */
export interface ClusterFinding {
  readonly weight: "loses-writes" | "stops-writes" | "advice";
  readonly text: string;
}

/** What Patroni's REST interface tells: `/patroni`, `/config` and `/cluster`. */
export interface PatroniReading {
  readonly version: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly roles: readonly string[];
}

/** Reads the REST interface of one member, such as `http://192.0.2.11:8008`. */
export async function readPatroni(restUrl: string): Promise<PatroniReading> {
  const [state, config, cluster] = await Promise.all(
    ["patroni", "config", "cluster"].map(async (path) => {
      const answer = await fetch(new URL(path, restUrl), { signal: AbortSignal.timeout(5000) });
      return recordOf(await answer.json());
    }),
  );
  const version = recordOf(state?.patroni).version;
  const members = Array.isArray(cluster?.members) ? cluster.members : [];
  return {
    version: typeof version === "string" ? version : undefined,
    config: config ?? {},
    roles: members.map((member: unknown) => String(recordOf(member).role)),
  };
}

/** Judges a cluster by what a member tells; empty when nothing is to be said. */
export function judgeCluster({ version: told, config, roles }: PatroniReading): ClusterFinding[] {
  const found: ClusterFinding[] = [];
  const version = parsePatroniVersion(told ?? "");
  if (version === undefined) {
    found.push({ weight: "loses-writes", text: "Patroni does not tell its version." });
  } else if (takesLeaderKeyBlindly(version)) {
    found.push({
      weight: "loses-writes",
      text: `Patroni ${told} can make two members lead over etcd 3: install ${PATRONI_MIN.join(".")} or later.`,
    });
  } else if (isBefore(version, PATRONI_MIN)) {
    found.push({
      weight: "advice",
      text: `Patroni ${told} was not tried: ${PATRONI_MIN.join(".")} or later was.`,
    });
  }
  if (config.synchronous_mode !== true)
    found.push({
      weight: "loses-writes",
      text: "synchronous_mode is off: what was acknowledged may be on one machine only.",
    });
  else if (config.synchronous_mode_strict !== true)
    found.push({
      weight: "loses-writes",
      text: "synchronous_mode_strict is off: without a standby, writes are acknowledged all the same.",
    });
  if (config.failsafe_mode !== true)
    found.push({ weight: "advice", text: "failsafe_mode is off: while etcd is away, nobody leads." });
  if (!roles.some((role) => role === "sync_standby" || role === "quorum_standby"))
    found.push({ weight: "stops-writes", text: "There is no synchronous standby: writes wait for one." });
  if (roles.length < 3)
    found.push({
      weight: "stops-writes",
      text: `There are ${roles.length} members: when one of them is lost, writes wait until it is back. Add a third.`,
    });
  return found;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
