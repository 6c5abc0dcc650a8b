import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { temporaryDir } from "@securewave/testing";
import { afterAll, describe, expect, test } from "vitest";
import { createMemoryDriver } from "../drivers/memory.ts";
import { type Demand, failed, met } from "./demand.ts";
import { diskDemands } from "./disk.ts";
import { guardDriver, guardStateFile } from "./guard.ts";
import { createHardening } from "./harden.ts";
import { logDemands } from "./logs.ts";
import { isSilent, wireguardProcesses } from "./processes.ts";
import { legacyLoggingTable, loggingTables } from "./ruleset.ts";
import { type Memory, sysctlDemands } from "./sysctl.ts";
import { kernelDebugDemand } from "./wireguard-log.ts";

const dir = temporaryDir("hardening");
afterAll(() => dir.remove());

/** Writes files into a folder of its own that stands for the machine's. */
let machines = 0;
async function machine(files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(dir.path, `machine${machines++}`);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

function demandOf(demands: readonly Demand[], id: string): Demand {
  const found = demands.find((demand) => demand.id === id);
  if (found === undefined) throw new Error(`there is no demand ${id}`);
  return found;
}

describe("a machine is held to what is demanded", () => {
  function demand(id: string, more: Partial<Demand> = {}): Demand {
    return { id, why: `${id} is needed`, isEssential: true, check: async () => met, ...more };
  }

  test("what is not met is seen to, and what cannot be seen to keeps the node from serving", async () => {
    let isSet = false;
    const mended = demand("mended", {
      check: async () => (isSet ? met : failed("not set")),
      apply: async () => {
        isSet = true;
      },
    });
    const broken = demand("broken", { check: async () => failed("It is broken. Mend it.") });
    const hardening = createHardening({ demands: [mended, broken] });
    expect((await hardening.checkAll()).map(({ state }) => state)).toEqual(["failed", "failed"]);
    expect((await hardening.applyAll()).map(({ state }) => state)).toEqual(["met", "failed"]);
    expect(hardening.problem()).toBe("Not serving: It is broken. Mend it.");
  });

  test("only what is essential keeps the node from serving, and what the operator answers for is left alone", async () => {
    let touched = 0;
    const touch = async () => {
      touched++;
      return failed("no");
    };
    const demands = [demand("swap", { check: touch }), demand("nice", { isEssential: false, check: touch })];
    const hardening = createHardening({ demands, accepted: ["swap"] });
    expect((await hardening.applyAll()).map(({ state }) => state)).toEqual(["accepted", "failed"]);
    expect([hardening.problem(), touched]).toEqual([null, 1]);
    const all = createHardening({ demands, accepted: ["all"] });
    await all.applyAll();
    expect(touched).toBe(1);
  });

  test("what cannot be found out is not met", async () => {
    const check = async () => {
      throw new Error("at 198.51.100.7");
    };
    const hardening = createHardening({ demands: [demand("unknown", { check })] });
    await hardening.applyAll();
    expect(hardening.problem()).toContain("unknown");
    expect(hardening.problem()).not.toContain("198.51.100.7");
  });

  test("a machine that is spoilt later stops serving, and serves again once it is mended", async () => {
    let isGood = true;
    const demands = [demand("rules", { check: async () => (isGood ? met : failed("Spoilt.")) })];
    const hardening = createHardening({ demands, everyMs: 5 });
    await hardening.applyAll();
    const driver = guardDriver(createMemoryDriver(), hardening);
    expect(await driver.reports()).toEqual({ peerCount: 0, counters: [] });
    const unwatch = hardening.watch();
    isGood = false;
    await expect.poll(() => hardening.problem()).not.toBeNull();
    await expect(driver.reports()).rejects.toThrow("Not serving: Spoilt.");
    const saved = {
      read: async () => "bad" as const,
      save: () => {},
      flush: async () => {},
      remove: async () => {},
    };
    expect(await guardStateFile(saved, hardening).read()).toBeUndefined();
    isGood = true;
    await expect.poll(() => hardening.problem()).toBeNull();
    unwatch();
    expect(await driver.reports()).toEqual({ peerCount: 0, counters: [] });
  });
});

describe("settings of the kernel", () => {
  const CONNTRACK = "net/netfilter/nf_conntrack";

  test("are set, a better one is left, and leaving puts back what was there", async () => {
    const root = await machine({
      [`${CONNTRACK}_acct`]: "1\n",
      [`${CONNTRACK}_tcp_timeout_established`]: "432000\n",
      "net/ipv4/conf/all/log_martians": "0\n",
      "net/ipv4/conf/eth0/log_martians": "1\n",
    });
    const demands = sysctlDemands(memory(), root);
    for (const demand of demands) await demand.apply?.();
    const states = await Promise.all(demands.map(async ({ id, check }) => [id, (await check()).state]));
    expect(Object.fromEntries(states)).toEqual({
      nf_conntrack_acct: "met",
      nf_conntrack_timestamp: "elsewhere",
      nf_conntrack_log_invalid: "elsewhere",
      nf_conntrack_tcp_timeout_established: "met",
      log_martians: "met",
      tcp_no_metrics_save: "elsewhere",
    });
    await writeFile(join(root, `${CONNTRACK}_tcp_timeout_established`), "600");
    const established = demandOf(demands, "nf_conntrack_tcp_timeout_established");
    await established.apply?.();
    expect(await readFile(join(root, `${CONNTRACK}_tcp_timeout_established`), "utf8")).toBe("600");
    for (const demand of demands) await demand.undo?.();
    expect(await readFile(join(root, `${CONNTRACK}_acct`), "utf8")).toBe("1");
    expect(await readFile(join(root, "net/ipv4/conf/eth0/log_martians"), "utf8")).toBe("1");
  });

  test("that are wrong are told with the command that sets them", async () => {
    const root = await machine({ [`${CONNTRACK}_acct`]: "1\n" });
    const finding = await demandOf(sysctlDemands(memory(), root), "nf_conntrack_acct").check();
    expect(finding).toMatchObject({
      state: "failed",
      why: expect.stringContaining("sysctl -w net.netfilter.nf_conntrack_acct=0"),
    });
  });

  function memory(): Memory {
    let kept: Readonly<Record<string, string>> = {};
    return {
      read: async () => kept,
      write: async (values) => {
        kept = values;
      },
    };
  }
});

describe("WireGuard's own log", () => {
  const LINE = 'drivers/net/wireguard/receive.c:123 [wireguard]wg_receive =FLAGS "%s: from %pISpfsc\\012"';

  test.each([
    ["_", "met"],
    ["p", "failed"],
    ["pmf", "failed"],
    ["mf", "met"],
  ])("of the kernel with the flags %s is %s", async (flags, state) => {
    const root = await machine({
      control: `kernel/x.c:1 [other]f =p "…"\n${LINE.replace("FLAGS", flags)}\n`,
    });
    expect((await kernelDebugDemand([join(root, "control")]).check()).state).toBe(state);
  });

  test("of wireguard-go is silent only when it was started so", async () => {
    const root = await machine({
      "7/comm": "wireguard-go\n",
      "7/cmdline": "wireguard-go\0sw0\0",
      "7/environ": "PATH=/bin\0LOG_LEVEL=silent\0",
      "8/comm": "wireguard-go\n",
      "8/cmdline": "wireguard-go\0sw1\0",
      "8/environ": "LOG_LEVEL=verbose\0",
      "9/comm": "bash\n",
      "9/cmdline": "bash\0sw0\0",
    });
    expect(await wireguardProcesses("sw0", root)).toEqual(["7"]);
    expect([await isSilent("7", root), await isSilent("8", root)]).toEqual([true, false]);
  });
});

describe("what reaches a disk", () => {
  const HEAD = "Filename\tType\tSize\tUsed\tPriority\n";
  const LIMITS = (core: string) =>
    `Limit Soft Limit Hard Limit Units\nMax core file size  ${core}  ${core}  bytes\n`;

  async function stateOf(id: string, files: Readonly<Record<string, string>>): Promise<string> {
    const root = await machine({ "proc/self/limits": LIMITS("0"), ...files });
    const options = { interfaceName: "sw0", proc: join(root, "proc"), sys: join(root, "sys") };
    return (await demandOf(diskDemands(options), id).check()).state;
  }

  test("swap on a disk does, unless the agent may not use it; compressed memory does not", async () => {
    const disk = { "proc/swaps": `${HEAD}/dev/sda2 partition 1000 0 -2\n` };
    const zram = { "proc/swaps": `${HEAD}/dev/zram0 partition 1000 0 -2\n` };
    const group = { "proc/self/cgroup": "0::/system.slice/securewave-node.service\n" };
    const most = "sys/fs/cgroup/system.slice/securewave-node.service/memory.swap.max";
    expect(await stateOf("swap", { "proc/swaps": HEAD })).toBe("met");
    expect(await stateOf("swap", disk)).toBe("failed");
    expect(await stateOf("swap", zram)).toBe("met");
    expect(await stateOf("swap", { ...zram, "sys/block/zram0/backing_dev": "/dev/sda3\n" })).toBe("failed");
    expect(await stateOf("swap", { ...disk, ...group, [most]: "max\n" })).toBe("failed");
    expect(await stateOf("swap", { ...disk, ...group, [most]: "0\n" })).toBe("met");
    expect(
      await stateOf("swap", { ...disk, ...group, "sys/fs/cgroup/system.slice/memory.swap.max": "0\n" }),
    ).toBe("met");
  });

  test.each([
    ["unlimited", "core\n", "failed"],
    ["0", "core\n", "met"],
    ["0", "|/usr/bin/keep-it %p\n", "failed"],
    ["0", "|/usr/lib/systemd/systemd-coredump %P\n", "met"],
    ["1", "|/usr/bin/keep-it %p\n", "met"],
  ])("a core dump with the limit %s and the pattern %j: %s", async (limit, pattern, state) => {
    const files = { "proc/self/limits": LIMITS(limit), "proc/sys/kernel/core_pattern": pattern };
    expect(await stateOf("core-dumps", files)).toBe(state);
  });

  test("a crash kernel does", async () => {
    expect(await stateOf("crash-kernel", { "sys/kernel/kexec_crash_loaded": "1\n" })).toBe("failed");
    expect(await stateOf("crash-kernel", { "sys/kernel/kexec_crash_loaded": "0\n" })).toBe("met");
  });
});

describe("journald and rsyslog", () => {
  test("are told only where they are, and no more once the node leaves", async () => {
    const root = await machine({ "journal/socket": "", rsyslogd: "" });
    const restarts: string[][] = [];
    const paths = {
      journalSocket: join(root, "journal/socket"),
      journalDropIn: join(root, "etc/journald.conf.d/zz-securewave-node.conf"),
      rsyslogProgram: join(root, "rsyslogd"),
      rsyslogRules: join(root, "etc/rsyslog.d/00-securewave-node.conf"),
    };
    const demands = logDemands(paths, async (...args) => void restarts.push(args));
    for (const demand of demands) {
      expect((await demand.check()).state).toBe("failed");
      await demand.apply?.();
      await demand.apply?.();
      expect((await demand.check()).state).toBe("met");
    }
    expect(await readFile(paths.journalDropIn, "utf8")).toContain("Storage=volatile\nForwardToSyslog=no");
    expect(restarts).toEqual([
      ["restart", "systemd-journald"],
      ["try-restart", "rsyslog"],
    ]);
    for (const demand of demands) await demand.undo?.();
    await expect(readFile(paths.journalDropIn)).rejects.toThrow("ENOENT");
    await expect(readFile(paths.rsyslogRules)).rejects.toThrow("ENOENT");

    const nowhere = { ...paths, journalSocket: join(root, "none"), rsyslogProgram: join(root, "none") };
    for (const demand of logDemands(nowhere, async () => undefined)) {
      await demand.apply?.();
      expect((await demand.check()).state).toBe("met");
    }
    await expect(readFile(paths.journalDropIn)).rejects.toThrow("ENOENT");
  });
});

describe("rules that log", () => {
  const RULESET = (line: string) =>
    `table inet good {\n\tchain a {\n\t\tdrop\n\t}\n}\ntable ip filter {\n\tchain INPUT {\n\t\t${line}\n\t}\n}\n`;

  test.each([
    'log prefix "[UFW BLOCK] " counter',
    "ip saddr 192.0.2.1 log",
    "limit rate 3/minute log group 2",
    "tcp dport 22 log drop",
    "meta nftrace set 1",
    'xt target "LOG"',
    'counter packets 0 bytes 0 xt target "NFLOG"',
  ])("%s is found with its table", (line) => {
    expect(loggingTables(RULESET(line))).toEqual(["ip filter"]);
  });

  test.each([
    "jump log",
    "goto log-and-drop",
    'comment "we do not log here"',
    'iifname "log" accept',
    "ip saddr @log drop",
    "limit name log drop",
    "accept",
  ])("%s is none", (line) => {
    expect(loggingTables(RULESET(line))).toEqual([]);
  });

  test("rules of the old iptables are found as well", () => {
    const saved = "*nat\n-A PREROUTING -j ACCEPT\nCOMMIT\n*filter\n-A INPUT -j LOG --log-prefix x\nCOMMIT\n";
    expect(legacyLoggingTable(saved)).toBe("filter");
    expect(legacyLoggingTable(saved.replace("LOG", "LOGDROP"))).toBeUndefined();
  });
});
