import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { harden, leave, type NodeStatus, readStatus, run } from "./commands.ts";
import { AgentError, NodeRemovedError } from "./errors.ts";
import { INTERFACE_NAME } from "./firewall.ts";
import { problemOf, tableOf } from "./hardening/index.ts";
import { readIdentity } from "./identity.ts";
import { joinControlPlane } from "./join.ts";
import { createLog } from "./log.ts";
import { DEFAULT_RUNTIME_DIR } from "./runtime.ts";
import { AGENT_VERSION } from "./version.ts";

/** `EX_CONFIG` of sysexits.h: to start it again is of no use, which the systemd unit knows. */
const EXIT_REMOVED = 78;

interface FolderOptions {
  stateDir: string;
  runtimeDir: string;
}

interface JoinOptions extends FolderOptions {
  controlPlane?: string;
  token?: string;
  endpoint?: string;
  listenPort?: number;
  interface: string;
  allowPlaintext?: boolean;
  replace?: boolean;
  json?: boolean;
}

interface AcceptOptions {
  accept?: string;
}

interface HardenOptions extends FolderOptions, AcceptOptions {
  interface: string;
  check?: boolean;
  json?: boolean;
}

interface RunOptions extends FolderOptions, AcceptOptions {
  downOnExit?: boolean;
  upgrade: boolean;
  upgradeWithin?: number;
}

const program = new Command("securewave-node")
  .description("Holds this VPN server to what its SecureWave control plane wants.")
  .version(AGENT_VERSION)
  .showHelpAfterError("Try: securewave-node --help")
  .exitOverride()
  .helpCommand(false);

const joining = command("join", "Joins a control plane with a one-time token")
  .option("--json", "print the result as JSON")
  .action(async (options: JoinOptions) => {
    const { node_id, name, interface: interfaceName } = await join(options);
    print(
      options.json,
      { node_id, name, interface: interfaceName, state_dir: options.stateDir },
      `Joined as ${name}. Start serving with: securewave-node run`,
    );
  });
addJoinOptions(joining);

addRunOptions(command("run", "Serves until SIGTERM or SIGINT; tunnels carry on afterwards")).action(serve);

const upping = command("up", "Joins if this machine has not joined yet, then serves").action(
  async (options: JoinOptions & RunOptions) => {
    if (options.replace || (await readIdentity(options.stateDir)) === undefined) await join(options);
    await serve(options);
  },
);
addRunOptions(addJoinOptions(upping));

command("status", "Tells how the agent is doing; exit code 1 when it does not run")
  .option("--json", "print as JSON")
  .action(async (options: FolderOptions & { json?: boolean }) => {
    const status = await readStatus(options);
    print(options.json, status, describe(status));
    if (!status.running) process.exitCode = 1;
  });

const hardening = command(
  "harden",
  "Sees to what this machine needs so that it keeps nothing about customers",
)
  .option("--check", "look only, and change nothing")
  .option("--json", "print as JSON")
  .option("--interface <name>", "when this machine has not joined", parseInterfaceName, "sw0")
  .action(async (options: HardenOptions) => {
    const { stateDir, runtimeDir, check = false } = options;
    const accepted = idsOf(options);
    const found = await harden({
      stateDir,
      runtimeDir,
      interfaceName: options.interface,
      accepted,
      isCheck: check,
    });
    const problem = problemOf(found);
    const demands = found.map(({ isEssential, ...rest }) => ({ ...rest, essential: isEssential }));
    print(options.json, { serves: problem === null, demands }, tableOf(found));
    if (problem !== null) process.exitCode = 1;
  });
addAcceptOption(hardening);

command("leave", "Takes the interface and the firewall rules away and forgets the node's keys")
  .option("--json", "print the result as JSON")
  .action(async (options: FolderOptions & { json?: boolean }) => {
    const { node_id, name } = await leave(options);
    print(options.json, { node_id, name }, `${name} has left. Remove it in the console too.`);
  });

function command(name: string, summary: string): Command {
  return program
    .command(name)
    .description(summary)
    .option("--state-dir <dir>", "where the node's keys are kept", "/var/lib/securewave-node")
    .option(
      "--runtime-dir <dir>",
      "on a memory disk: the last state and the status socket",
      DEFAULT_RUNTIME_DIR,
    );
}

function addJoinOptions(to: Command): Command {
  return to
    .option("--control-plane <url>", "such as https://vpn.example.org")
    .addOption(new Option("--token <token>", "from the console, for one use").env("SECUREWAVE_JOIN_TOKEN"))
    .option("--endpoint <host[:port]>", "where customers reach this server (port 51820 unless given)")
    .option("--listen-port <port>", "where this server listens, when that is another port", parsePort)
    .option("--interface <name>", "name of the WireGuard interface", parseInterfaceName, "sw0")
    .option("--allow-plaintext", "allow http:// to another machine")
    .option("--replace", "join anew, with the same WireGuard key and a new credential");
}

function addRunOptions(to: Command): Command {
  return addAcceptOption(to)
    .option("--down-on-exit", "take interface and firewall rules down at the end")
    .option(
      "--no-upgrade",
      "stay at this version, where the installer put it; the log says when there is another",
    )
    .option("--upgrade-within <seconds>", "the longest wait before an update is taken (3600)", parseSeconds);
}

function addAcceptOption(to: Command): Command {
  return to.addOption(
    new Option(
      "--accept <ids>",
      "serve although this machine does not meet these demands, separated by commas; see: harden --check",
    ).env("SECUREWAVE_NODE_ACCEPT"),
  );
}

function idsOf({ accept = "" }: AcceptOptions): string[] {
  return accept
    .split(",")
    .map((id) => id.trim())
    .filter(Boolean);
}

async function join(options: JoinOptions) {
  const { controlPlane, token, endpoint, listenPort } = options;
  if (controlPlane === undefined || token === undefined || endpoint === undefined) {
    throw new CommanderError(
      2,
      "securewave.missing",
      "To join, --control-plane, --token and --endpoint are needed. Copy the command from the console.",
    );
  }
  return joinControlPlane({
    controlPlane,
    token,
    endpoint,
    ...(listenPort !== undefined && { listenPort }),
    interfaceName: options.interface,
    stateDir: options.stateDir,
    allowPlaintext: options.allowPlaintext ?? false,
    replace: options.replace ?? false,
  });
}

async function serve(options: RunOptions): Promise<void> {
  const { stateDir, runtimeDir, downOnExit = false, upgrade, upgradeWithin } = options;
  const programPath = process.argv[1];
  const log = createLog((line) => process.stderr.write(line));
  try {
    const accepted = idsOf(options);
    await run({
      stateDir,
      runtimeDir,
      takeDown: downOnExit,
      accepted,
      log,
      ...(upgrade && programPath !== undefined && { upgradeOf: programPath }),
      ...(upgradeWithin !== undefined && { upgradeWithinSeconds: upgradeWithin }),
      untilStopped: stopAsked(),
    });
  } finally {
    // A channel that is listened to would keep the process alive.
    if (process.connected) process.disconnect();
  }
}

/** A launcher that dies takes its channel along, which counts as being asked to stop. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ["SIGTERM", "SIGINT", "disconnect"]) process.once(event, () => resolve());
  });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) {
    throw new InvalidArgumentError("A port is a number from 1 to 65535.");
  }
  return port;
}

function parseSeconds(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Seconds are a whole number.");
}

function parseInterfaceName(text: string): string {
  if (INTERFACE_NAME.test(text)) return text;
  throw new InvalidArgumentError("A name has up to 15 letters, digits and _, and begins with a letter.");
}

function describe(status: NodeStatus): string {
  if (!status.joined) return "This machine has not joined a control plane.";
  const lines = [`${status.name} at ${status.control_plane}, interface ${status.interface}`];
  if (!status.running) return [...lines, "The agent is not running."].join("\n");
  for (const [name, value] of Object.entries(status.agent ?? {})) lines.push(`  ${name}: ${value ?? "none"}`);
  return lines.join("\n");
}

function print(asJson: boolean | undefined, value: object, text: string): void {
  process.stdout.write(`${asJson ? JSON.stringify(value) : text}\n`);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    if (error.code.startsWith("securewave.")) process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof AgentError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error instanceof NodeRemovedError ? EXIT_REMOVED : 1;
  } else {
    throw error;
  }
}
