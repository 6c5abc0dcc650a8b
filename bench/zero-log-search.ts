import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { parseVerifier } from "@securewave/audit-trail";
import { systemClock } from "@securewave/foundation";
import { runGhosts } from "@securewave/ghosts";
import { type Report, verifyReport } from "@securewave/ghosts/report";
import type { ZeroLogScene } from "../e2e/zero-log-scene.ts";
import { ghostSteps } from "../e2e/zero-log-steps.ts";
import type { BenchRun } from "./figure.ts";
import type { Scene } from "./scene.ts";

const ASKS_EVERY_MS = 250;

/** A search of a service with every store and a node for ghosts that do all that customers do. */
export async function measureSceneSearch(run: BenchRun, scene: ZeroLogScene): Promise<void> {
  run.progress("  ghosts use a service with every store, and are searched for");
  const startedMs = performance.now();
  const searched = await runGhosts({
    seed: randomBytes(32),
    clock: systemClock,
    software: { name: "SecureWave", version: "0.1.0" },
    surfaces: scene.surfaces,
    steps: ghostSteps(scene),
    onProgress: (text) => run.progress(`    ${text}`),
  });
  reportSearch(run, searched, performance.now() - startedMs);
}

/** A search of the benches' service on its embedded store, as the daily job makes it. */
export async function measureServiceSearch(run: BenchRun, { service }: Scene): Promise<void> {
  const { zeroLog } = service.admin;
  run.progress("  searching the service for ghosts");
  const startedMs = performance.now();
  await zeroLog.start({ body: { is_quick: true } });
  while ((await zeroLog.run()).run?.state === "running") await pause(ASKS_EVERY_MS);
  const proof = await zeroLog.latest();
  const verifier = parseVerifier(proof.verifier_key);
  const searched = verifier && verifyReport(proof.report?.note ?? "", verifier)?.report;
  if (searched === undefined) throw new Error("the search gave no report");
  reportSearch(run, searched, performance.now() - startedMs);
}

function reportSearch({ report }: BenchRun, { surfaces }: Report, tookMs: number): void {
  const sound = surfaces.filter(
    ({ controls, problems }) =>
      problems.length === 0 && controls.length > 0 && controls.every(({ isFound }) => isFound),
  );
  const sum = (of: (surface: (typeof surfaces)[number]) => number) =>
    surfaces.reduce((total, surface) => total + of(surface), 0);
  const megabytes = sum(({ bytes, unpackedBytes }) => bytes + unpackedBytes) / 1e6;
  report(
    {
      id: "zerolog.surfaces_searched",
      value: sound.length,
      unit: "surfaces",
      limit: surfaces.length,
      goal: null,
      note: `whose planted control was found, ${Math.round(megabytes)} MB; with what ghosts did, ${Math.round(tookMs / 1000)} s; limit: all that this machine has`,
    },
    {
      id: "zerolog.ghost_hits",
      value: sum(({ hitsCount }) => hitsCount),
      unit: "traces",
      limit: null,
      goal: "=0",
      note: "of made-up customers, in everything that the service writes here",
    },
  );
}
