import type { Reporter, Vitest } from "vitest/node";
import { formatSkips, summarise } from "./run-summary.ts";

/** A vitest reporter that ends a run with one list of the skipped tests and why each was skipped. */
export function skipReporter(): Reporter {
  let vitest: Vitest | undefined;
  return {
    onInit(instance) {
      vitest = instance;
    },
    onTestRunEnd(modules, _errors, reason) {
      if (reason === "interrupted") return;
      const text = formatSkips(summarise(modules, vitest?.config.testNamePattern).skips);
      if (text !== "") process.stdout.write(`\n${text}`);
    },
  };
}
