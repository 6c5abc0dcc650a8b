import { runProgram } from "../run-program.ts";
import { type Demand, elsewhere, failed, met } from "./demand.ts";
import { readText } from "./processes.ts";

/** The firewall rules that the agent loads itself. */
export interface OwnRules {
  /** Whether they are loaded; undefined before the node served for the first time. */
  areLoaded(): Promise<boolean | undefined>;
  load(): Promise<void>;
}

/** What nftables and iptables do with customers' packets besides forwarding. */
export function rulesetDemands(own: OwnRules): Demand[] {
  return [ownRulesDemand(own), noLogDemand()];
}

function ownRulesDemand(own: OwnRules): Demand {
  return {
    id: "firewall",
    why: "connection tracking would know where customers come from",
    isEssential: true,
    async check() {
      const areLoaded = await own.areLoaded();
      if (areLoaded === undefined) return elsewhere("The rules are loaded with the interface.");
      return areLoaded
        ? met
        : failed("The node's firewall rules were taken away. Find out which program does it.");
    },
    apply: () => own.load().catch(() => undefined),
  };
}

/** A rule that logs, or hands packets to a program that may, writes customers' addresses down. */
function noLogDemand(): Demand {
  return {
    id: "no-log-rules",
    why: "a firewall rule would log customers' addresses",
    isEssential: true,
    async check() {
      // Without the elements of sets, which hold addresses, and without counters.
      const listed = await runProgram("nft", ["--stateless", "--terse", "list", "ruleset"]);
      if (listed.code !== 0) return failed("The firewall's rules cannot be read. Run this as root.");
      const [table] = loggingTables(listed.stdout);
      if (table !== undefined) return failed(whatToDo(table));
      return checkLegacy();
    },
  };
}

function whatToDo(table: string): string {
  return `A rule in the firewall's table ${table} logs packets. Take it out: nft -a list ruleset; with ufw: ufw logging off`;
}

/** A name in these places is none of a statement. */
const NAMED = /\b(?:jump|goto|name)\s+[\w.-]+|^\s*[a-z ]+ [\w.-]+ (?=\{)/g;
const LOGS = /(?:^|[\s;])log(?=$|[\s;}])|\bnftrace\s+set\s+1\b/;
/** How nft shows rules of iptables that it has no words for. */
const LOGS_BY_IPTABLES = /\bxt\s+target\s+"?(?:LOG|NFLOG|ULOG|TRACE)\b/;

/** The tables, such as `inet filter`, in which a rule logs or traces. */
export function loggingTables(ruleset: string): string[] {
  const found = new Set<string>();
  let table = "";
  for (const line of ruleset.split("\n")) {
    const [, opened] = /^table (\S+ \S+) \{/.exec(line) ?? [];
    table = opened ?? table;
    const bare = line.replace(/"[^"]*"/g, '""').replace(NAMED, "");
    if (LOGS.test(bare) || LOGS_BY_IPTABLES.test(line)) found.add(table);
  }
  return [...found];
}

const LEGACY = [
  { names: "/proc/net/ip_tables_names", program: "iptables-legacy-save" },
  { names: "/proc/net/ip6_tables_names", program: "ip6tables-legacy-save" },
];

/** Rules of the old iptables, which nft does not see. */
async function checkLegacy() {
  for (const { names, program } of LEGACY) {
    if ((await readText(names)).trim() === "") continue;
    const saved = await runProgram(program, []).catch(() => undefined);
    if (saved?.code !== 0)
      return failed(`There are rules of the old iptables that cannot be read. Install ${program}`);
    const table = legacyLoggingTable(saved.stdout);
    if (table !== undefined) return failed(whatToDo(`${table} of ${program.replace("-save", "")}`));
  }
  return met;
}

export function legacyLoggingTable(saved: string): string | undefined {
  let table = "";
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1);
    if (/ -j (?:LOG|NFLOG|ULOG|TRACE)\b/.test(line)) return table;
  }
  return undefined;
}
