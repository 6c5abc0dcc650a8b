import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderPatroni } from "../patroni.ts";
import type { ClusterPlan, DatabaseMember } from "../plan.ts";
import type { SystemAccount } from "./account.ts";
import type { Folders } from "./folders.ts";
import { createPart, type Part } from "./processes.ts";
import { patroniProgram } from "./programs.ts";

/** So that nine servers and their clients fit on one small machine. */
const SMALL = {
  shared_buffers: "32MB",
  effective_cache_size: "128MB",
  max_connections: "80",
  min_wal_size: "64MB",
  max_wal_size: "512MB",
};

export interface Passwords {
  readonly superuser: string;
  readonly replication: string;
  readonly rewind: string;
  readonly rest: string;
}

/** A machine with Patroni and PostgreSQL. */
export interface DatabasePart extends Part {
  readonly member: DatabaseMember;
  /** PostgreSQL's first process; undefined while none runs. */
  postmaster(): number | undefined;
  /** Patroni alone, without its PostgreSQL. */
  patroni(): number[];
}

export function createDatabasePart(
  plan: ClusterPlan,
  member: DatabaseMember,
  { folders, account, passwords }: { folders: Folders; account: SystemAccount; passwords: Passwords },
): DatabasePart {
  const config = folders.file(
    `${member.name}.yml`,
    renderPatroni(plan, member, {
      settings: SMALL,
      watchdog: "off",
      pgpassPath: join(folders.path, `${member.name}.pgpass`),
    }),
  );
  const postmaster = () => postmasterOf(member.dataDir);
  const part = createPart({
    name: member.name,
    command: patroniProgram(),
    args: [config],
    cwd: folders.path,
    account,
    env: {
      PATRONI_SUPERUSER_USERNAME: "postgres",
      PATRONI_SUPERUSER_PASSWORD: passwords.superuser,
      PATRONI_REPLICATION_USERNAME: "replicator",
      PATRONI_REPLICATION_PASSWORD: passwords.replication,
      PATRONI_REWIND_USERNAME: "rewinder",
      PATRONI_REWIND_PASSWORD: passwords.rewind,
      PATRONI_RESTAPI_USERNAME: "operator",
      PATRONI_RESTAPI_PASSWORD: passwords.rest,
      HOME: folders.path,
      PYTHONDONTWRITEBYTECODE: "1",
    },
    isReady: () => demandOk(`http://${member.host}:${member.restPort}/health`),
    others: () => {
      const pid = postmaster();
      return pid === undefined ? [] : [pid];
    },
  });
  return {
    ...part,
    member,
    postmaster,
    patroni() {
      const server = postmaster();
      const [first, ...rest] = part.processIds();
      // Patroni starts its server in a session of its own, as a child that may be let go.
      return first === undefined || first === server
        ? []
        : [first, ...rest.filter((pid) => commandOf(pid).includes(config))];
    },
  };
}

async function demandOk(url: string): Promise<void> {
  const { ok } = await fetch(url, { signal: AbortSignal.timeout(2000) });
  if (!ok) throw new Error(`${url} is not well`);
}

function postmasterOf(dataDir: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n", 1)[0]);
    return commandOf(pid).includes(dataDir) ? pid : undefined; // the number may have gone to another program
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
