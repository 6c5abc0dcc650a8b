/** Searches a service once for made-up customers; `packages/ghosts/auditor-protocol.ts` says how it is talked with. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { setPriority } from "node:os";
import { createInterface } from "node:readline";
import { openDatabase } from "@securewave/database";
import { invariant, systemClock } from "@securewave/foundation";
import { type Report, runGhosts, type Surface } from "@securewave/ghosts";
import type {
  AuditorEvent,
  AuditorOrder,
  BackupAnswer,
  BackupControls,
} from "@securewave/ghosts/auditor-protocol";
import { openTemporaryFolder, removeLeftovers } from "./leftovers.ts";
import { watched } from "./progress.ts";
import { createCalls } from "./service-calls.ts";
import { planSurfaces } from "./surfaces.ts";
import { openTunnels } from "./tunnels.ts";
import { visitStep } from "./visits.ts";

/** Lower than whatever serves customers: setpriority(2). */
const PRIORITY = 10;
const STATEMENT_TIMEOUT_MS = 600_000;

/** What takes away all that was made, the last first. */
const ending: (() => Promise<unknown>)[] = [];

await main();

async function main(): Promise<void> {
  let isEnding = false;
  const leave = async (code: number) => {
    if (isEnding) return;
    isEnding = true;
    for (const end of ending.toReversed()) await end().catch(() => {});
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void leave(1));
  const input = createInterface({ input: process.stdin });
  const lines = input[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  const order = readOrder(await next());
  if (order === undefined) return leave(2);
  input.once("close", () => void leave(1)); // whoever asked is gone
  try {
    setPriority(PRIORITY);
    const backUp = async (controls: BackupControls): Promise<BackupAnswer> => {
      await emit({ kind: "back_up", controls });
      return JSON.parse((await next()) ?? "");
    };
    await emit({ kind: "report", report: await audit(order, backUp) });
    await leave(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : "failed"}\n`);
    await leave(1);
  }
}

async function audit(
  order: AuditorOrder,
  backUp: (controls: BackupControls) => Promise<BackupAnswer>,
): Promise<Report> {
  await removeLeftovers();
  const folder = await openTemporaryFolder();
  ending.push(() => rm(folder, { recursive: true, force: true }));
  const database = await openDatabase({
    url: order.database.url,
    poolMax: 2,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  ending.push(() => database.close());
  const call = createCalls(order.apiUrl, order.apiHost);
  const tunnels = order.node && openTunnels({ node: order.node, call, isQuick: order.isQuick });
  if (tunnels) ending.push(() => tunnels.close());
  const { surfaces, notCovered } = await planSurfaces(order, database, tunnels?.emptyCable, backUp);
  for (const surface of surfaces) ending.push(async () => surface.clear?.());
  await emit({ kind: "surfaces", surfaces: surfaces.map(({ id, title }: Surface) => ({ id, title })) });
  const seed = randomBytes(32);
  return runGhosts({
    seed,
    clock: systemClock,
    software: order.software,
    surfaces: surfaces.map((surface) => watched(surface, (event) => void emit(event))),
    steps: [visitStep(call, seed), ...(tunnels ? [tunnels.step] : [])],
    notCovered,
    onProgress: (text) => void emit({ kind: "step", text }),
  });
}

/** Resolves when it is on its way, so that the process may end. */
function emit(event: AuditorEvent): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${JSON.stringify(event)}\n`, () => resolve());
  });
}

/** It comes from the control plane of the same version. */
function readOrder(line: string | undefined): AuditorOrder | undefined {
  if (line === undefined) return undefined;
  const order = JSON.parse(line) as AuditorOrder;
  invariant(typeof order.apiUrl === "string", "the order says where the service is");
  return order;
}
