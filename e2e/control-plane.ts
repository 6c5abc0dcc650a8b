import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freeTcpPort, type RunningProcess, runOrThrow, startProcess } from "@securewave/testing";
import { CONTROL_PLANE } from "../scripts/program.mjs";

/** Of the repository. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BUILD_TIMEOUT_MS = 180_000;

/** A start takes about a second; this is for machines on which much else runs. */
const START_TIMEOUT_MS = 90_000;

const NO_LIMITS = {
  RATE_LIMIT_GLOBAL: "1000000",
  RATE_LIMIT_IP: "1000000",
  RATE_LIMIT_USER: "1000000",
  RATE_LIMIT_SENSITIVE: "1000000",
};

export interface ControlPlane {
  readonly process: RunningProcess;
  /** How the test reaches it when it runs in the same network namespace. */
  readonly url: string;
  /** What it printed for making the first admin; undefined once there is one. */
  readonly setupLink: string | undefined;
}

export interface ControlPlaneOptions {
  /** The working folder: `securewave.env` is read from it, and the data goes into `data` below it. */
  readonly dir: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Lifts the limits on how often one may ask, for what asks more than people and their programs do. */
  readonly hasNoLimits?: boolean;
  /** Programs of /usr/bin that are not there for it; needs root. */
  readonly hiddenTools?: readonly string[];
  /** Where another release lies, in place of this build. */
  readonly releaseDir?: string;
}

/** Where the control plane of a working folder keeps its data. */
export function dataDirOf(dir: string): string {
  return join(dir, "data");
}

/** Variables of the test runner, and settings of whoever runs it, that a service of its own must not see. */
export function cleanEnvironment(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) =>
    /^(VITEST|TEST$|NODE_|SECUREWAVE_|SETTINGS_FILE|DATABASE_|JWT_|MASTER_KEY|SMTP_|MAIL_|LOG_|PUBLIC_URL|API_|RATE_LIMIT_|AUTO_BLOCK_|REPUTATION_|REDIS_URL|TRUSTED_|VAULT_)/.test(
      name,
    ),
  );
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

let built: Promise<unknown> | undefined;

/** Builds pages and program as `npm start` does, where they are not up to date. */
export async function buildService(): Promise<void> {
  const script = join(ROOT, "scripts/build.ts");
  built ??= runOrThrow(process.execPath, [script], { env: cleanEnvironment(), timeoutMs: BUILD_TIMEOUT_MS });
  await built;
}

/** Starts the program as `npm start` does and lets it go on as it pleases. */
export async function launchControlPlane(
  options: ControlPlaneOptions,
  readyWhen?: RegExp,
): Promise<RunningProcess> {
  const { dir, namespace, port = await freeTcpPort(), env, hasNoLimits = false, hiddenTools = [] } = options;
  await buildService();
  const entry = join(options.releaseDir ?? ROOT, CONTROL_PLANE.entry);
  const start = [process.execPath, ...CONTROL_PLANE.flags, entry];
  const [command = "", ...args] = hiddenTools.length > 0 ? [...hiding(dir, hiddenTools), ...start] : start;
  return startProcess({
    command,
    args,
    cwd: dir,
    ...(namespace !== undefined && { namespace }),
    env: {
      ...cleanEnvironment(),
      ...CONTROL_PLANE.env,
      DATA_DIR: dataDirOf(dir),
      API_PORT: String(port),
      METRICS_PORT: String(await freeTcpPort()),
      LOCAL_NODE: "off",
      NODE_PROBES: "off", // nodes of a laboratory have endpoints that only customers reach
      ...(hasNoLimits && NO_LIMITS),
      ...env,
    },
    ...(readyWhen !== undefined && { readyWhen, timeoutMs: START_TIMEOUT_MS }),
  });
}

/** The words that run a program where /usr/bin lacks some tools: in a mount namespace, which ends with it. */
function hiding(dir: string, tools: readonly string[]): string[] {
  const script = `set -e
mkdir -p "$0/all" "$0/shown"
mount --bind /usr/bin "$0/all"
ln -sf "$0"/all/* "$0/shown/"
rm ${tools.map((tool) => `"$0/shown/${tool}"`).join(" ")}
mount --bind "$0/shown" /usr/bin
exec "$@"`;
  return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, join(dir, "tools")];
}

/** Starts the control plane and waits for its greeting. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const port = options.port ?? (await freeTcpPort());
  const running = await launchControlPlane({ ...options, port }, /Stop with Ctrl-C/);
  const setupLink = running
    .lines()
    .find((line) => line.includes("/setup#token="))
    ?.trim();
  return { process: running, url: `http://127.0.0.1:${port}`, setupLink };
}

/** Ends it the way a power cut would. */
export async function killControlPlane({ process: running }: ControlPlane): Promise<void> {
  running.kill("SIGKILL");
  await running.exited;
  await running.stop();
}
