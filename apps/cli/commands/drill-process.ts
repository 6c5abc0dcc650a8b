import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { DrillReport, Scenario } from "@securewave/contracts";
import { parseEventLine } from "@securewave/foundation";
import { CliError } from "../failure.ts";

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
  const child = spawn(process.execPath, [PROGRAM, scenario], { stdio: ["ignore", "pipe", "ignore"] });
  // Ctrl-C reaches both: the drill takes away what it started, and this waits for it.
  const wait = () => {};
  process.on("SIGINT", wait);
  let report: DrillReport | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = parseEventLine<Event>(line, ["step", "report"]);
    if (event?.kind === "step") onStep(event.at_seconds, event.what);
    if (event?.kind === "report") report = event.report;
  });
  await new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  process.off("SIGINT", wait);
  if (report === undefined)
    throw new CliError("cli.drill_ended", "The drill ended without a report; what it started is gone.");
  return report;
};

type Event =
  | { readonly kind: "step"; readonly at_seconds: number; readonly what: string }
  | { readonly kind: "report"; readonly report: DrillReport };
