import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  connectWireGuard,
  createNetworkLab,
  eventually,
  forwardPort,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  type PortForward,
  type RunningProcess,
  randomSuffix,
  run,
  runOrThrow,
  startProcess,
  type TemporaryDir,
  temporaryDir,
  type WireGuardClient,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeAgentArchive } from "../scripts/agent-archive.ts";
import { ROOT } from "../scripts/commands.ts";
import { type ControlPlane, cleanEnvironment, dataDirOf, startControlPlane } from "./control-plane.ts";
import { registerNode } from "./node-agent.ts";
import { type Person, register, setUpAdmin } from "./people.ts";
import { type Pings, startPings } from "./pings.ts";
import { processesOf } from "./remains.ts";

const CONTROL_PORT = 8000;
const CONTROL_URL = `http://${LAB_ADDRESSES.control.v4}:${CONTROL_PORT}`;
const SCRIPT_URL = `${CONTROL_URL}/install/node.sh`;
const FORMER = "0.0.9";
/** Before any, so that what it holds is given up for it. */
const BROKEN = "0.0.1";

const lab = labRequirements(["dash", "tar", "gzip", "setpriv", "unshare"]);

describe.skipIf(!lab.ok)(lab.title("a node that the installer sets up"), () => {
  let dir: TemporaryDir;
  let scene: NetworkLab;
  let way: PortForward;
  let plane: ControlPlane;
  let admin: Person;
  let command: string;
  let nodeId: string;
  let script: string;
  let version: string;
  let supervisor: RunningProcess | undefined;
  let client: WireGuardClient | undefined;
  let pings: Pings | undefined;
  const interfaceName = `sw${randomSuffix()}`;
  const inDir = (name: string) => join(dir.path, name);
  const folders = () => ["--state-dir", inDir("state"), "--runtime-dir", inDir("runtime")];
  const place = () => ["--prefix", inDir("opt"), "--no-service", ...folders()];
  const program = () => join(inDir("opt"), "current/securewave-node");
  const token = () => /--token (\S+)/.exec(command)?.[1] ?? "";
  const joining = () => [
    ...["--token", token(), "--endpoint", LAB_ADDRESSES.nodeForCustomer.v4],
    ...["--interface", interfaceName, "--allow-plaintext"],
  ];

  /** Runs a script as the command does: from a pipe. */
  const install = (text: string, args: readonly string[]) =>
    run("dash", ["-s", "--", ...place(), ...args], {
      namespace: scene.node,
      input: text,
      env: cleanEnvironment(),
      timeoutMs: 100_000,
    });
  const setTo = (text: string, name: string, value: string) =>
    text.replace(new RegExp(`^  ${name}='.*'$`, "m"), `  ${name}='${value}'`);
  const stateOf = async () => (await admin.client.nodes.show({ params: { id: nodeId } })).state;
  const installed = () => (existsSync(inDir("opt")) ? readdirSync(inDir("opt")).sort() : []);

  beforeAll(async () => {
    dir = temporaryDir("install");
    scene = await createNetworkLab();
    way = await forwardPort(scene.control, { host: "127.0.0.1", port: CONTROL_PORT });
    plane = await startControlPlane({
      dir: dir.path,
      namespace: scene.control,
      port: CONTROL_PORT,
      env: { PUBLIC_URL: CONTROL_URL },
    });
    admin = await setUpAdmin(`http://127.0.0.1:${way.port}`, plane.setupLink);
  });

  afterAll(async () => {
    await pings?.stop();
    await client?.down();
    await supervisor?.stop();
    await run("ip", ["-n", scene.node, "link", "del", interfaceName]);
    await plane?.process.stop();
    await way?.close();
    await scene?.destroy();
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  test("the script is the one whose checksum the console shows", async () => {
    const made = await registerNode(admin, "EU-Lab-1");
    nodeId = made.node.id;
    const fresh = await admin.client.nodes.renewJoinToken({ params: { id: nodeId } });
    command = fresh.command;
    expect(command).toContain(`curl -fsSL ${SCRIPT_URL} | sudo sh -s -- --token `);
    script = (await runOrThrow("curl", ["-fsSL", SCRIPT_URL], { namespace: scene.node })).stdout;
    expect(createHash("sha256").update(script).digest("hex")).toBe(fresh.checksum);
    version = /^ {2}version='(.*)'$/m.exec(script)?.[1] ?? "";
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("an archive that is not the one of the script is refused, and nothing is left of it", async () => {
    const { code, stderr } = await install(setTo(script, "sha256", "0".repeat(64)), joining());
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("SHA-256") });
    expect(installed()).toEqual([]);
  });

  test("a script that was cut runs nothing, and one for another kind of machine says so", async () => {
    const cut = await install(script.slice(0, script.length - 10), joining());
    expect(cut.stdout).toBe("");
    const other = await install(setTo(script, "platform", "linux-riscv64"), joining());
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("linux-riscv64") });
    const blank = await install(script, ["--token", token(), "--endpoint", "YOUR_SERVER_NAME"]);
    expect(blank).toMatchObject({ code: 1, stderr: expect.stringContaining("YOUR_SERVER_NAME") });
    expect(installed()).toEqual([]);
  });

  test("an older version is installed and joins; to run the script once more changes nothing", async () => {
    const former = await formerScript(FORMER);
    const first = await install(former, joining());
    expect(first, first.stderr).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("no systemd service"),
    });
    expect(installed()).toEqual([FORMER, "current"]);
    expect(readlinkSync(join(inDir("opt"), "current"))).toBe(FORMER);
    const identity = readFileSync(inDir("state/node.json"), "utf8");
    const second = await install(former, joining());
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining("has joined already") });
    expect(second.stdout).toContain(`Version ${FORMER} is there already`);
    expect(readFileSync(inDir("state/node.json"), "utf8")).toBe(identity);
  });

  test("where there is systemd, the service is set up, with the options that were given, and started", async () => {
    const second = await registerNode(admin, "EU-Lab-2");
    const words = [
      "--token",
      /--token (\S+)/.exec(second.command)?.[1] ?? "",
      "--endpoint",
      "vpn2.example.org",
    ];
    const prefix = inDir("with-systemd");
    const scratch = inDir("scratch");
    const args = [
      "--prefix",
      prefix,
      "--allow-plaintext",
      "--no-upgrade",
      "--accept",
      "swap,journald",
      ...words,
    ];
    const set = `set -e
mkdir -p "$0/bin"
cp -a /etc "$0/etc"
mkdir -p "$0/etc/systemd/system"
mount --bind "$0/etc" /etc
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
mkdir -p /run/systemd/system
printf '#!/bin/sh\necho "systemctl $*"\n' >"$0/bin/systemctl"
chmod +x "$0/bin/systemctl"
PATH="$0/bin:$PATH" dash -s -- "$@"
echo ---
cat /etc/systemd/system/securewave-node.service /etc/default/securewave-node
echo ---
PATH="$0/bin:$PATH" dash "$0/node.sh" --prefix "$1" --uninstall
ls /etc/systemd/system/securewave-node.service /etc/default/securewave-node || :`;
    mkdirSync(scratch);
    writeFileSync(join(scratch, "node.sh"), script);
    const ran = await run(
      "unshare",
      ["--mount", "--propagation", "private", "sh", "-c", set.replace("$1", prefix), scratch, ...args],
      { namespace: scene.node, input: script, env: cleanEnvironment(), timeoutMs: 100_000 },
    );
    const [installing = "", files = "", uninstalling = ""] = ran.stdout.split("---\n");
    expect(installing, ran.stderr).toContain(
      "systemctl daemon-reload\nsystemctl enable securewave-node\nsystemctl restart securewave-node\n",
    );
    expect(files).toContain(`ExecStart=${prefix}/current/securewave-node run $SECUREWAVE_NODE_OPTIONS`);
    expect(files).toContain(`ReadWritePaths=-${prefix} `);
    expect(files).toContain('SECUREWAVE_NODE_OPTIONS="--no-upgrade --accept swap,journald"');
    expect(uninstalling).toContain("systemctl disable --now securewave-node");
    expect(uninstalling).toContain("SecureWave is gone");
    expect(ran.stderr.match(/No such file/g)).toHaveLength(2);
    expect(existsSync(prefix)).toBe(false);
  });

  test("it serves, and brings itself to the control plane's version without a lost ping", async () => {
    supervisor = await superviseAgent();
    await eventually(async () => expect(await stateOf()).toBe("healthy"), { timeoutMs: 30_000 });
    const customer = await register(
      `http://127.0.0.1:${way.port}`,
      "ada@example.org",
      join(dataDirOf(dir.path), "outbox"),
    );
    const { id } = await customer.client.devices.create({ body: { name: "Laptop" } });
    client = await connectWireGuard(scene.customer, await customer.client.devices.config({ params: { id } }));
    pings = await startPings(scene.customer, LAB_ADDRESSES.internet.v4);
    await eventually(() => expect(pings?.answersSince(0)).toBeGreaterThan(10));

    await supervisor.waitForLine(/"updated".*"version"/, 60_000);
    await supervisor.waitForLine(/"update-confirmed"/, 60_000);
    const sinceMs = Date.now();
    await eventually(() => expect(pings?.answersSince(sinceMs)).toBeGreaterThan(20));
    expect(pings.lostSince(0)).toBe(0);
    expect(installed()).toEqual([FORMER, version, "current"].sort());
    expect((await runOrThrow(program(), ["--version"])).stdout.trim()).toBe(version);
    const shown = await admin.client.nodes.show({ params: { id: nodeId } });
    expect(shown).toMatchObject({ state: "healthy", agent_version: version, agent_is_current: true });
  });

  test("a version that does not come up makes room for the former one, and the tunnel goes on", async () => {
    const opt = inDir("opt");
    mkdirSync(join(opt, BROKEN));
    for (const name of ["securewave-node", "agent.mjs"]) {
      writeFileSync(join(opt, BROKEN, name), readFileSync(join(opt, version, name)), { mode: 0o755 });
    }
    writeFileSync(join(opt, BROKEN, "node"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    writeFileSync(join(opt, "trial"), `${version} 0\n`);
    await runOrThrow("ln", ["-sfn", BROKEN, join(opt, "current")]);
    await killAgent();
    await eventually(() => expect(readlinkSync(join(opt, "current"))).toBe(version), { timeoutMs: 30_000 });
    await eventually(async () => expect(await stateOf()).toBe("healthy"), { timeoutMs: 30_000 });
    expect(readFileSync(join(opt, "rejected"), "utf8")).toBe(`${BROKEN}\n`);
    expect(pings?.lostSince(0)).toBe(0);
  });

  test("to uninstall takes tunnels, keys and program away, once the agent has ended", async () => {
    await pings?.stop();
    await client?.down();
    client = undefined;
    const running = await install(script, ["--uninstall"]);
    expect(running).toMatchObject({ code: 1, stderr: expect.stringContaining("running") });
    await supervisor?.stop();
    supervisor = undefined;
    const gone = await install(script, ["--uninstall"]);
    expect(gone, gone.stderr).toMatchObject({ code: 0 });
    expect(existsSync(inDir("opt"))).toBe(false);
    expect(existsSync(inDir("state/node.json"))).toBe(false);
    expect((await run("ip", ["-n", scene.node, "link", "show", interfaceName])).code).not.toBe(0);
  });

  /** The script for an agent that says it is of another version. */
  async function formerScript(former: string): Promise<string> {
    const built = readFileSync(join(ROOT, "apps/node-agent/main.bundle.js"), "utf8");
    const parts = built.split(`\`${version}\``);
    expect(parts).toHaveLength(2);
    const [bundlePath, outputDir] = [inDir("former.js"), inDir("former")];
    writeFileSync(bundlePath, parts.join(`\`${former}\``));
    await makeAgentArchive({ bundlePath, version: former, outputDir, cacheDir: join(ROOT, ".cache") });
    const archive = join(outputDir, "securewave-node.tar.gz");
    const sha256 = createHash("sha256").update(readFileSync(archive)).digest("hex");
    return setTo(setTo(script, "version", former), "sha256", sha256).replace(
      /^ {4}url=.*$/m,
      `    url=file://${archive}`,
    );
  }

  /** Starts the agent whenever it ends, with the capabilities that it has by the unit. */
  function superviseAgent(): Promise<RunningProcess> {
    const unit = readFileSync(join(inDir("opt"), "current/securewave-node.service"), "utf8");
    const [, left = ""] = /^CapabilityBoundingSet=(.*)$/m.exec(unit) ?? [];
    const capabilities = left.split(" ").map((name) => `+${name.replace(/^CAP_/, "").toLowerCase()}`);
    expect(capabilities).toContain("+net_admin");
    const loop = `trap 'kill -TERM "$agent"; wait "$agent"; exit 0' TERM
while :; do
  "$0" "$@" & agent=$!
  echo "$agent" >"${inDir("agent.pid")}"
  wait "$agent" || [ $? != 78 ] || exit 78
  sleep 1
done`;
    return startProcess({
      command: "setpriv",
      args: [
        "--no-new-privs",
        `--bounding-set=-all,${capabilities.join()}`,
        ...["dash", "-c", loop, program(), "run", ...folders(), "--upgrade-within", "20"],
      ],
      namespace: scene.node,
      env: cleanEnvironment(),
      readyWhen: /"interface-(created|adopted)"/,
      timeoutMs: 60_000,
    });
  }

  async function killAgent(): Promise<void> {
    await runOrThrow("kill", ["-KILL", readFileSync(inDir("agent.pid"), "utf8").trim()]);
  }
});
