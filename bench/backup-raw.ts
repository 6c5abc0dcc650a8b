/** What PostgreSQL, zstd and age do by themselves: the limit of packages/backup. */
import { chown, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectWhenReady, startPostgres } from "@securewave/database/postgres-process";
import { type PostgresTools, planLaunch } from "@securewave/database/postgres-tools";
import { eventually, type RunningProcess, run, runOrThrow, startProcess } from "@securewave/testing";

const TIMEOUT_MS = 600_000;
/** As ours: with the log of its time, without PostgreSQL's manifest, on the disk when it ends. */
const BACK_UP = `set -o pipefail
"$1" -d "$2" -D - -F tar -X fetch -c fast --no-manifest | zstd -q -1 | age -r "$3" > "$4" && sync "$4"`;
const UNPACK = `set -o pipefail
age -d -i "$1" "$2" | zstd -q -d | tar -x --no-same-owner -C "$3"`;

const SEAL_SEGMENT = `set -o pipefail
zstd -q -1 < "$2" | age -r "$1" > "$2.zst.age" && rm "$2"`;

export interface RawEngine {
  backUp(file: string): Promise<void>;
  /** Unpacks, replays and shuts down. */
  restore(
    file: string,
    into: string,
    point?: { readonly archiveDir: string; readonly to: Date },
  ): Promise<void>;
  /** Follows the log as plain segments. */
  receive(archiveDir: string): Promise<{ whenItHas(segment: string): Promise<void>; stop(): Promise<void> }>;
  /** Compresses and seals each, as the base is. */
  sealSegments(archiveDir: string): Promise<void>;
  /** @returns transactions per second that pgbench's clients committed */
  writesPerSecond(scriptPath: string, seconds: number): Promise<number>;
}

export function createRawEngine(options: {
  readonly binDir: string;
  readonly major: string;
  readonly url: string;
  readonly recipient: string;
  readonly identityPath: string;
  readonly scratchDir: string;
}): RawEngine {
  const { binDir, major, url, recipient, identityPath, scratchDir } = options;
  const program = (name: string) => join(binDir, name);
  const shell = (script: string, ...words: string[]) =>
    runOrThrow("bash", ["-c", script, "bash", ...words], { timeoutMs: TIMEOUT_MS });
  const tools = { major, initdbPath: program("initdb"), postgresPath: program("postgres") };
  return {
    async backUp(file) {
      await shell(BACK_UP, program("pg_basebackup"), url, recipient, file);
    },
    async restore(file, into, point) {
      await mkdir(into, { mode: 0o700 });
      await shell(UNPACK, identityPath, file, into);
      const settings: Record<string, string> = {};
      if (point !== undefined) {
        await writeFile(join(into, "recovery.signal"), "");
        settings.restore_command = `test -f ${point.archiveDir}/%f.zst.age && age -d -i ${identityPath} ${point.archiveDir}/%f.zst.age | zstd -q -d -f -o %p`;
        settings.recovery_target_time = point.to.toISOString().replace("T", " ").replace("Z", "+00");
        settings.recovery_target_action = "promote";
      }
      await replay(tools, into, scratchDir, settings);
    },
    async receive(archiveDir) {
      await mkdir(archiveDir);
      const args = ["-d", url, "-D", archiveDir, "--no-loop", "--verbose"];
      const receiving: RunningProcess = await startProcess({ command: program("pg_receivewal"), args });
      await receiving.waitForLine(/starting log streaming/);
      return {
        whenItHas: (segment) =>
          eventually(async () => void (await stat(join(archiveDir, segment))), { timeoutMs: 60_000 }),
        async stop() {
          receiving.kill("SIGINT");
          await receiving.exited;
          await receiving.stop();
        },
      };
    },
    async sealSegments(archiveDir) {
      for (const name of await readdir(archiveDir))
        await shell(SEAL_SEGMENT, recipient, join(archiveDir, name));
    },
    async writesPerSecond(scriptPath, seconds) {
      const load = ["--no-vacuum", "--client=8", "--jobs=1", `--time=${seconds}`, `--file=${scriptPath}`];
      const { stdout } = await runOrThrow(program("pgbench"), [...load, url], { timeoutMs: TIMEOUT_MS });
      const [, rate] = /^tps = ([\d.]+)/m.exec(stdout) ?? [];
      if (rate === undefined) throw new Error(`pgbench told no rate: ${stdout}`);
      return Number(rate);
    },
  };
}

/** Starts PostgreSQL on a folder, as soon as it is consistent and takes connections shuts it down. */
async function replay(
  tools: PostgresTools,
  dataDir: string,
  socketDir: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const launch = await planLaunch(tools, undefined);
  if (launch.runAs) await giveAway(dataDir, launch.runAs);
  const lines: string[] = [];
  const server = startPostgres({
    postgresPath: tools.postgresPath,
    launch,
    dataDir,
    socketDir,
    settings: { listen_addresses: "", ...settings },
    onLog: (line) => void lines.push(line),
  });
  const client = await connectWhenReady(dataDir, socketDir, () => {
    if (server.hasExited()) throw new Error(`PostgreSQL did not recover: ${lines.slice(-3).join("\n")}`);
  });
  // A standby that is consistent takes connections before it has reached its target.
  await eventually(
    async () => {
      const { rows } = await client.query("select pg_is_in_recovery() as is_recovering");
      if (rows[0]?.is_recovering === true) throw new Error("it replays");
    },
    { timeoutMs: TIMEOUT_MS, everyMs: 20 },
  );
  await client.end();
  await server.stop();
}

async function giveAway(dir: string, owner: { readonly uid: number; readonly gid: number }): Promise<void> {
  await chown(dir, owner.uid, owner.gid);
  for (const name of await readdir(dir, { recursive: true }))
    await chown(join(dir, name), owner.uid, owner.gid);
}

/** Whether Debian's programs for a comparison are here. */
export async function postgresMajor(binDir: string): Promise<string> {
  const { stdout } = await run(join(binDir, "postgres"), ["--version"]);
  return /PostgreSQL\) (\d+)/.exec(stdout)?.[1] ?? "";
}
