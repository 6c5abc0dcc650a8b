import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DrillReport, Scenario } from "@securewave/contracts";
import { CliError } from "../failure.ts";
import { followProgram } from "../own-program.ts";

const PROGRAM = fileURLToPath(new URL("../../drills/main.ts", import.meta.url));

/** Unlike the rest of the command, drills start services: they are a program of their own. */
export type RunDrill = (
  scenario: Scenario,
  onStep: (atSeconds: number, what: string) => void,
) => Promise<DrillReport>;

/** @throws CliError `cli.drills_missing`, `cli.drill_ended` */
export const runDrill: RunDrill = async (scenario, onStep) => {
  if (!existsSync(PROGRAM))
    throw new CliError("cli.drills_missing", "The program that carries out drills is not on this machine.", {
      next: "Run this in the folder that SecureWave is installed in, or in a checkout of the same version.",
    });
  let report: DrillReport | undefined;
  await followProgram<Event>(PROGRAM, [scenario], ["step", "report"], (event) => {
    if (event.kind === "step") onStep(event.at_seconds, event.what);
    else report = event.report;
  });
  if (report === undefined)
    throw new CliError("cli.drill_ended", "The drill ended without a report; what it started is gone.");
  return report;
};

type Event =
  | { readonly kind: "step"; readonly at_seconds: number; readonly what: string }
  | { readonly kind: "report"; readonly report: DrillReport };
