import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Demand, elsewhere, failed, met } from "./demand.ts";

interface Setting {
  /** Below /proc/sys; `*` stands for every entry of a folder. */
  readonly path: string;
  readonly value: number;
  /** Whether a smaller one will do as well. */
  readonly isMost?: boolean;
  readonly why: string;
}

/** RFC 5382 §5, REQ-5: an address translator keeps an idle connection for at least 2 hours 4 minutes. Linux: 5 days. */
const ESTABLISHED_SECONDS = 7440;

const CONNTRACK = "net/netfilter/nf_conntrack";
const SETTINGS: readonly Setting[] = [
  { path: `${CONNTRACK}_acct`, value: 0, why: "the kernel would count the bytes of each connection" },
  { path: `${CONNTRACK}_timestamp`, value: 0, why: "the kernel would note when each connection began" },
  { path: `${CONNTRACK}_log_invalid`, value: 0, why: "the kernel would log packets with their addresses" },
  {
    path: `${CONNTRACK}_tcp_timeout_established`,
    value: ESTABLISHED_SECONDS,
    isMost: true,
    why: "connections that were cut off would be known for days",
  },
  {
    path: "net/ipv4/conf/*/log_martians",
    value: 0,
    why: "the kernel would log packets with impossible addresses",
  },
  {
    path: "net/ipv4/tcp_no_metrics_save",
    value: 1,
    why: "the kernel would keep the addresses of past connections",
  },
];

/** Where values that were there before are kept, so that leaving puts them back. */
export interface Memory {
  read(): Promise<Readonly<Record<string, string>>>;
  write(values: Readonly<Record<string, string>>): Promise<void>;
}

/** All of these belong to the network namespace that the agent runs in, as of Linux 5.10. */
export function sysctlDemands(memory: Memory, root = "/proc/sys"): Demand[] {
  return SETTINGS.map((setting) => sysctlDemand(setting, memory, root));
}

function sysctlDemand(setting: Setting, memory: Memory, root: string): Demand {
  const id = setting.path.split("/").at(-1) ?? setting.path;

  async function wrong(): Promise<string[] | undefined> {
    const paths = await pathsOf(setting.path, root);
    const values = await Promise.all(paths.map((path) => readValue(join(root, path))));
    const known = paths.filter((_, index) => values[index] !== undefined);
    if (known.length === 0) return undefined;
    return paths.filter((_, index) => {
      const value = values[index];
      return value !== undefined && !isGood(Number(value), setting);
    });
  }

  return {
    id,
    why: setting.why,
    isEssential: true,
    async check() {
      const paths = await wrong();
      if (paths === undefined) {
        return elsewhere(
          "The kernel does not have this setting here: not this namespace's to set. Check it on the host.",
        );
      }
      const [path] = paths;
      if (path === undefined) return met;
      const name = path.replaceAll(".", "/").split("/").join(".");
      return failed(`${sentence(setting.why)} Set it: sysctl -w ${name}=${setting.value}`);
    },
    async apply() {
      const before: Record<string, string> = {};
      for (const path of (await wrong()) ?? []) {
        const value = await readValue(join(root, path));
        // Read-only in a container: the check says it.
        const isSet = await writeFile(join(root, path), String(setting.value)).then(
          () => true,
          () => false,
        );
        if (isSet && value !== undefined) before[path] = value;
      }
      if (Object.keys(before).length > 0) await memory.write({ ...before, ...(await memory.read()) });
    },
    async undo() {
      const before = await memory.read();
      for (const path of await pathsOf(setting.path, root)) {
        const value = before[path];
        if (value !== undefined) await writeFile(join(root, path), value).catch(() => undefined);
      }
    },
  };
}

function isGood(value: number, setting: Setting): boolean {
  return setting.isMost ? value <= setting.value : value === setting.value;
}

async function pathsOf(path: string, root: string): Promise<string[]> {
  const [folder = "", rest] = path.split("/*/");
  if (rest === undefined) return [path];
  const names = await readdir(join(root, folder)).catch(() => []);
  return names.map((name) => `${folder}/${name}/${rest}`);
}

async function readValue(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
