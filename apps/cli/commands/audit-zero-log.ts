import { setTimeout as pause } from "node:timers/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { parseVerifier } from "@securewave/audit-trail";
import type { Client, ZeroLogRun } from "@securewave/contracts";
import { type Verified, verifyReport } from "@securewave/ghosts/report";
import type { Call, Perform } from "../call.ts";
import { CliError, EXIT } from "../failure.ts";
import { demandWritable, writePrivateFile } from "../files.ts";
import { createProgress, type Progress } from "../progress.ts";
import { keyPathOf } from "./audit-kept.ts";
import { reportJson, reportText } from "./audit-zero-log-words.ts";

const ASKS_EVERY_MS = 500;

export function addZeroLogCommand(audit: CommandUnknownOpts, perform: Perform): void {
  audit
    .command("zero-log")
    .description("search the service for traces of made-up customers now; exit code 1 unless there is none")
    .option("-o, --out <file>", "keep the signed report in a file, and the key beside it (.vkey)")
    .option(
      "--quick",
      "do not wait until the node has forgotten the ghosts by itself, which takes four minutes",
    )
    .addHelpText(
      "after",
      `
The service does the same every day, and shows the newest report to everybody at /zero-log.

Examples:
  $ securewave audit zero-log
  $ securewave audit zero-log --quick --out report.txt
  $ securewave audit verify-report report.txt`,
    )
    .action(({ out: path, quick = false }) =>
      perform(async (call) => {
        if (path !== undefined) await demandWritable(path);
        const { verified, note, ...facts } = await search(call, quick);
        if (path !== undefined) {
          await writePrivateFile(path, note);
          await writePrivateFile(keyPathOf(path), `${facts.key}\n`);
        }
        call.out.result({ ...reportJson(verified), ...facts }, () => reportText(call.out, verified));
        if (path !== undefined)
          call.out.note(`The signed report is in ${path}, its key in ${keyPathOf(path)}.`);
        return verified.report.outcome === "clean" ? undefined : EXIT.failed;
      }),
    );
}

/** @throws CliError `cli.search_failed`, `cli.report_broken` */
async function search(call: Call, isQuick: boolean) {
  const { zeroLog } = await call.client();
  const before = await zeroLog.latest();
  const surfaces = verifiedOf(before)?.report.surfaces ?? [];
  const expected = new Map(surfaces.map(({ id, bytes }) => [id, bytes] as const));
  await zeroLog.start({ body: { is_quick: isQuick } });
  await follow(call, zeroLog, before.report?.number ?? 0, expected);
  const latest = await zeroLog.latest();
  const verified = verifiedOf(latest);
  if (verified === undefined || latest.report === null)
    throw new CliError("cli.report_broken", "The service shows no report, or one that it has not signed.");
  const { number, note } = latest.report;
  return { verified, note, number, key: latest.verifier_key };
}

type ZeroLogApi = Client["zeroLog"];
type Latest = Awaited<ReturnType<ZeroLogApi["latest"]>>;

function verifiedOf({ report, verifier_key }: Latest): Verified | undefined {
  const verifier = parseVerifier(verifier_key);
  return verifier && report ? verifyReport(report.note, verifier) : undefined;
}

/**
 * Shows how far the search is, until its report is there.
 *
 * @param formerNumber of the newest report before
 * @param expected bytes of each surface at the last time
 * @throws CliError `cli.search_failed`
 */
async function follow(
  call: Call,
  api: ZeroLogApi,
  formerNumber: number,
  expected: ReadonlyMap<string, number>,
): Promise<void> {
  let shown: { readonly label: string; readonly bar: Progress } | undefined;
  const show = (label: string, share: number) => {
    if (shown?.label !== label) {
      shown?.bar.end();
      shown = { label, bar: createProgress(call, label) };
    }
    shown.bar.show(share);
  };
  try {
    for (;;) {
      const { run } = await api.run();
      // Behind a balancer, another process may be the one that searches: its report shows that it is done.
      if (run?.state === "running") showRun(run, expected, show);
      else if (((await api.latest()).report?.number ?? 0) > formerNumber) return;
      else if (run?.state === "failed")
        throw new CliError("cli.search_failed", "The search ended without a report.", {
          next: "The service's log says more: look for zero_log_failed.",
        });
      await pause(ASKS_EVERY_MS);
    }
  } finally {
    shown?.bar.end();
  }
}

function showRun(
  { doing, surfaces }: ZeroLogRun,
  expected: ReadonlyMap<string, number>,
  show: (label: string, share: number) => void,
): void {
  const at = surfaces.find(({ state }) => state === "searching");
  if (at === undefined) {
    show(doing, surfaces.some(({ state }) => state === "done") ? 1 : 0);
    return;
  }
  const whole = expected.get(at.id);
  const done = surfaces.filter(({ state }) => state === "done").length;
  show(at.title, whole === undefined || whole === 0 ? done / surfaces.length : at.bytes / whole);
}
