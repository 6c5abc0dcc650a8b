import { setTimeout as pause } from "node:timers/promises";
import { parseVerifier } from "@securewave/audit-trail";
import { verifyReport } from "@securewave/ghosts/report";
import type { BenchRun } from "./figure.ts";
import type { Scene } from "./scene.ts";

const ASKS_EVERY_MS = 250;

/** A search of the scene's service for ghosts, as the daily job makes it. */
export async function measureSearch({ progress, report }: BenchRun, { service }: Scene): Promise<void> {
  const { zeroLog } = service.admin;
  progress("  searching the service for ghosts");
  const startedMs = performance.now();
  await zeroLog.start({ body: { is_quick: true } });
  while ((await zeroLog.run()).run?.state === "running") await pause(ASKS_EVERY_MS);
  const seconds = (performance.now() - startedMs) / 1000;
  const proof = await zeroLog.latest();
  const verifier = parseVerifier(proof.verifier_key);
  const searched = verifier && verifyReport(proof.report?.note ?? "", verifier)?.report;
  if (searched === undefined) throw new Error("the search gave no report");
  const sound = searched.surfaces.filter(
    ({ controls, problems }) =>
      problems.length === 0 && controls.length > 0 && controls.every(({ isFound }) => isFound),
  );
  const { surfaces } = searched;
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
      note: `whose planted control was found, ${Math.round(megabytes)} MB in ${Math.round(seconds)} s; limit: all that this machine has`,
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
