import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { runProgram } from "../run-program.ts";
import { type Demand, failed, met } from "./demand.ts";

export interface LogPaths {
  /** There while journald runs. */
  readonly journalSocket: string;
  /** Sorted behind those of the distribution, so that it has the last word. */
  readonly journalDropIn: string;
  readonly rsyslogProgram: string;
  /** Sorted before the others: what is dropped reaches none of them. */
  readonly rsyslogRules: string;
}

const PATHS: LogPaths = {
  journalSocket: "/run/systemd/journal/socket",
  journalDropIn: "/etc/systemd/journald.conf.d/zz-securewave-node.conf",
  rsyslogProgram: "/usr/sbin/rsyslogd",
  rsyslogRules: "/etc/rsyslog.d/00-securewave-node.conf",
};

const JOURNAL_SETTINGS = {
  Storage: "volatile",
  ForwardToSyslog: "no",
  ForwardToKMsg: "no",
  ForwardToConsole: "no",
  ForwardToWall: "no",
};

const HEADING = "# Written by securewave-node, and taken away by: securewave-node leave";

const JOURNAL_TEXT = `${HEADING}
[Journal]
${Object.entries(JOURNAL_SETTINGS)
  .map(([name, value]) => `${name}=${value}`)
  .join("\n")}
`;

/** The kernel's messages that quote addresses: WireGuard's, of martian packets, and of firewalls. */
const RSYSLOG_TEXT = `${HEADING}
if $syslogfacility-text == "kern" and ($msg contains "wireguard:" or $msg contains "martian source"
  or ($msg contains "SRC=" and $msg contains "DST=")) then stop
`;

/** What journald and rsyslog keep. The files are written only where those are there. */
export function logDemands(paths: LogPaths = PATHS, systemctl: Systemctl = runSystemctl): Demand[] {
  return [journalDemand(paths, systemctl), rsyslogDemand(paths, systemctl)];
}

export type Systemctl = (...args: string[]) => Promise<void>;

async function runSystemctl(...args: string[]): Promise<void> {
  await runProgram("systemctl", args).catch(() => undefined);
}

function journalDemand({ journalSocket, journalDropIn }: LogPaths, systemctl: Systemctl): Demand {
  return {
    id: "journald",
    why: "the kernel's and other programs' messages would be on a disk for months",
    isEssential: true,
    async check() {
      if (!(await exists(journalSocket))) return { state: "met", note: "There is no journald." };
      const wrong = await overruled(journalDropIn);
      if (wrong === undefined) return met;
      return failed(
        `journald keeps or hands on messages (${wrong}). Let this write ${journalDropIn}: securewave-node harden`,
      );
    },
    apply: async () => {
      if (!(await exists(journalSocket)) || !(await put(journalDropIn, JOURNAL_TEXT))) return;
      await systemctl("restart", "systemd-journald");
    },
    undo: async () => {
      if (!(await take(journalDropIn))) return;
      await systemctl("restart", "systemd-journald");
    },
  };
}

/** The setting of journald that is not as it should be, by all of its files where systemd can tell, else by ours. */
async function overruled(dropIn: string): Promise<string | undefined> {
  const own = await read(dropIn);
  if (own !== JOURNAL_TEXT) return "Storage";
  const all = await runProgram("systemd-analyze", ["cat-config", "systemd/journald.conf"]).catch(
    () => undefined,
  );
  const text = all?.code === 0 && all.stdout.includes(JOURNAL_TEXT.trim()) ? all.stdout : own;
  return Object.entries(JOURNAL_SETTINGS).find(([name, value]) => {
    const last = [...text.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].at(-1);
    return last?.[1]?.trim() !== value;
  })?.[0];
}

function rsyslogDemand({ rsyslogProgram, rsyslogRules }: LogPaths, systemctl: Systemctl): Demand {
  return {
    id: "rsyslog",
    why: "the kernel's messages with addresses would be on a disk or on another machine",
    isEssential: true,
    async check() {
      if (!(await exists(rsyslogProgram))) return { state: "met", note: "There is no rsyslog." };
      if ((await read(rsyslogRules)) === RSYSLOG_TEXT) return met;
      return failed(
        `rsyslog keeps the kernel's messages. Let this write ${rsyslogRules}: securewave-node harden`,
      );
    },
    apply: async () => {
      if (!(await exists(rsyslogProgram)) || !(await put(rsyslogRules, RSYSLOG_TEXT))) return;
      await systemctl("try-restart", "rsyslog");
    },
    undo: async () => {
      if (await take(rsyslogRules)) await systemctl("try-restart", "rsyslog");
    },
  };
}

/** Whether the file was not so before, and is. */
async function put(path: string, text: string): Promise<boolean> {
  if ((await read(path)) === text) return false;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o644 });
    return true;
  } catch {
    return false;
  }
}

async function take(path: string): Promise<boolean> {
  if (!(await exists(path))) return false;
  return rm(path, { force: true }).then(
    () => true,
    () => false,
  );
}

async function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
