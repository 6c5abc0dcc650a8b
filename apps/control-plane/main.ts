import { existsSync, readFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { migrate, openDatabase, storeErrors } from "@securewave/database";
import { RefusalError, systemClock } from "@securewave/foundation";
import type { Vault } from "@securewave/vault";
import { type App, createApp } from "./app.ts";
import { type Config, loadConfig } from "./config.ts";
import { loginsOf } from "./database-logins.ts";
import { demandQuietStores } from "./demands.ts";
import { greetingOf } from "./greeting.ts";
import { createTelemetry } from "./http/telemetry.ts";
import { startLocalNode, stopLocalNode } from "./local-node.ts";
import { openLogFile } from "./log-file.ts";
import { createLogger, describeError, type Logger } from "./logger.ts";
import { loadSecrets } from "./secrets.ts";
import { openTracing } from "./tracing/index.ts";

// Named from here, where this file and the bundle made of it both lie.
const MIGRATIONS_DIR = fileURLToPath(import.meta.resolve("../../packages/database/migrations"));
const CONSOLE_DIR = fileURLToPath(import.meta.resolve("../console/dist"));
const AGENT_DIR = fileURLToPath(import.meta.resolve("../node-agent"));
const AUDITOR = fileURLToPath(import.meta.resolve("../auditor/main.ts"));
const BACKUP_WORKER = fileURLToPath(import.meta.resolve("./modules/backups/work/main.ts"));
const { version } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")) as {
  version: string;
};
const STATEMENT_TIMEOUT_MS = 15_000;
const IMPATIENT_MS = 1_000;
/** What the system answers where a folder cannot be made or written. */
const UNWRITABLE_CODES = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "EDQUOT",
  "ENOTDIR",
  "EEXIST",
  "ENAMETOOLONG",
]);

await main();

/** Runs the whole service in this process: API, console, jobs, and the local node where there can be one. */
async function main(): Promise<void> {
  let logger: Logger | undefined;
  const { config, mistakes, vault } = await loadConfig(process.env, (error) =>
    logger?.warn("vault_failed", describeError(error)),
  );
  if (mistakes.length > 0)
    return stopWith(["The settings have mistakes:", ...mistakes.map((mistake) => `  ${mistake}`)]);
  const logFile = config.logPath === undefined ? undefined : openLogFile({ path: config.logPath });
  logger = createLogger(config.logLevel, logFile);
  endOnCrash(logger);
  try {
    await serve(config, vault, logger, () => logFile?.close());
  } catch (error) {
    stopWith(explain(error, config));
    logFile?.close();
  }
}

async function serve(
  config: Config,
  vault: Vault | undefined,
  logger: Logger,
  closeLog: () => void,
): Promise<void> {
  const startedMs = performance.now();
  const closing = new AsyncDisposableStack();
  const close = () =>
    closing.disposeAsync().catch((error) => {
      for (const each of failuresIn(error)) logger.error("close_failed", describeError(each));
    });
  const stopping = stopOnSignal(close, logger, closeLog);
  closing.defer(async () => vault?.close());
  try {
    const telemetry = createTelemetry(logger);
    const storeDir = join(config.store.dir, "store");
    const isStoreNew = config.store.url === undefined && !existsSync(storeDir);
    const tracing = await openTracing({
      endpoint: config.traces.endpoint,
      ratio: config.traces.share,
      serviceVersion: version,
      onDrop: telemetry.countDroppedSpans,
    });
    closing.defer(async () => tracing?.close());
    const secrets = await loadSecrets(config, isStoreNew);
    const { databaseRole } = config.vault;
    const credentials = databaseRole ? await vault?.leaseDatabase(databaseRole) : undefined;
    const database = await openDatabase({
      ...(config.store.url ? { url: config.store.url.reveal() } : { dir: storeDir }),
      credentials,
      logins: loginsOf(config.store),
      poolMax: config.store.poolMax,
      slowMs: config.store.slowMs,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      onQuery: (query) => {
        telemetry.observeQuery(query);
        tracing?.observeQuery(query);
      },
    });
    closing.defer(database.close);
    await demandQuietStores(config, database);
    await migrate(database.pool, { dir: MIGRATIONS_DIR, policy: config.store.migrations });
    const app = await createApp({
      config,
      database,
      secrets,
      clock: systemClock,
      migrationsDir: MIGRATIONS_DIR,
      logger,
      telemetry,
      tracing,
      consoleDir: CONSOLE_DIR,
      agentDir: AGENT_DIR,
      auditor: [process.execPath, AUDITOR],
      backupWorker: [process.execPath, BACKUP_WORKER],
      version,
    });
    closing.defer(app.close);
    await app.startJobs(); // before the first request, which may queue one
    await app.server.listen({ host: config.http.host, port: config.http.port });
    app.startMeasuring();
    const metrics = await listenForScrapes(app, config, logger);
    closing.defer(() => void metrics?.close());
    closing.defer(() => stopLocalNode(config));
    const localNode = await startLocalNode(config, app.nodes);
    logger.info("started", { milliseconds: Math.round(performance.now() - startedMs) });
    const setupToken = await app.accounts.createSetupToken();
    process.stdout.write(`${greetingOf({ config, version, database, localNode, setupToken })}\n`);
  } catch (error) {
    if (stopping.hasBegun()) return; // what it was about to use is closed already
    await close();
    throw error;
  }
}

/** One by one, in their order, what the parts of a stack failed with when they were closed. */
function failuresIn(error: unknown): unknown[] {
  return error instanceof SuppressedError
    ? [...failuresIn(error.suppressed), ...failuresIn(error.error)]
    : [error];
}

/** Port 9100 is also that of Prometheus's node exporter, so the service runs without, and says so. */
async function listenForScrapes(app: App, config: Config, logger: Logger): Promise<Server | undefined> {
  return app.telemetry.listen(config.metrics.host, config.metrics.port).catch((error: unknown) => {
    logger.warn("metrics_not_served", {
      ...describeError(error),
      internal: "METRICS_PORT is taken: choose another",
    });
    return undefined;
  });
}

function stopOnSignal(
  close: () => Promise<void>,
  logger: Logger,
  closeLog: () => void,
): { hasBegun(): boolean } {
  let stopsAtMs: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, async () => {
      // A signal to the whole group arrives twice; one after a while means that somebody will not wait.
      if (stopsAtMs !== undefined && performance.now() > stopsAtMs + IMPATIENT_MS) process.exit(1);
      if (stopsAtMs !== undefined) return;
      stopsAtMs = performance.now();
      logger.info("stopping");
      await close();
      closeLog();
      process.exit(0);
    });
  }
  return { hasBegun: () => stopsAtMs !== undefined };
}

/** Node would print the message, which may quote what no log may hold. */
function endOnCrash(logger: Logger): void {
  process.on("uncaughtException", (error) => {
    logger.error("crashed", describeError(error));
    process.exit(1);
  });
}

function explain(error: unknown, config: Config): string[] {
  if (error instanceof RefusalError) return [error.message];
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return [
      `Port ${config.http.port} is taken by another program. Stop it, or choose another port: API_PORT=8001 npm start`,
    ];
  }
  if (typeof code === "string" && UNWRITABLE_CODES.has(code)) {
    return [
      storeErrors.notWritable.message,
      `Folder: ${config.store.dir}. Choose another with DATA_DIR=/path npm start`,
    ];
  }
  return [`SecureWave cannot start: ${describeError(error).error ?? "unknown error"}`];
}

function stopWith(lines: readonly string[]): void {
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exitCode = 1;
}
