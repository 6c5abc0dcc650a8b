import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatVerifier, openCheckpoint } from "@securewave/audit-trail";
import type { Perform } from "../call.ts";
import { EXIT } from "../failure.ts";
import { counted } from "../human.ts";
import type { Output } from "../output.ts";
import { createProgress } from "../progress.ts";
import { checkTrailFiles, type TrailFileReport } from "./audit-file.ts";
import { readKnown, readVerifier, readVerifierBeside } from "./audit-kept.ts";

export function addVerifyCommand(audit: CommandUnknownOpts, perform: Perform): void {
  audit
    .command("verify")
    .description("check an export or an archive on this machine alone; exit code 1 when it is broken")
    .argument(
      "<files...>",
      "an export, or archives of the service and what comes behind them, checked as one",
    )
    .option(
      "-k, --key <file>",
      "the verifier key that you kept, or a file with it (default: the .vkey beside a file)",
    )
    .option("--since <file>", "an earlier export, or a checkpoint, that this one must continue")
    .addHelpText(
      "after",
      `
Works without a log-in and without a network. A file that cannot be read or is no trail has the exit code 2.
Whoever had the service could cut off the end of the trail with all that tells of it: --since finds that out.

Examples:
  $ securewave audit verify securewave-audit-2026-11-20.jsonl
  $ securewave audit verify new.jsonl --key kept.vkey --since old.jsonl
  $ securewave audit verify audit-archive/*.jsonl --key vpn.example.org/audit+1a2b3c4d+AZq… --json`,
    )
    .action((files, { key, since }) =>
      perform(async (call) => {
        const verifier = await (key === undefined ? readVerifierBeside(files) : readVerifier(key));
        const known = since === undefined ? undefined : await readKnown(since);
        const progress = createProgress(call, "Verifying");
        const check = { verifier, known, onProgress: progress.show };
        const report = await checkTrailFiles(files, check).finally(progress.end);
        const continues = known === undefined ? undefined : openCheckpoint(known, verifier)?.size;
        const keyText = formatVerifier(verifier);
        call.out.result({ files, ...trailJson(report), key: keyText, continues: continues ?? null }, () =>
          report.isWhole
            ? wholeText(call.out, report, keyText, continues)
            : brokenText(call.out, report, keyText),
        );
        return report.isWhole ? undefined : EXIT.failed;
      }),
    );
}

/** A report for programs. */
export function trailJson(report: TrailFileReport) {
  const { isWhole, header, from, entries, erased, unrecorded, checkpoints, lastCheckpoint, root } = report;
  const { broken, span, place } = report;
  return {
    whole: isWhole,
    origin: header?.origin ?? null,
    /** Index of the first entry. */
    from,
    entries,
    erased,
    unrecorded,
    checkpoints,
    /** Entries of the trail up to the last good checkpoint. */
    size: lastCheckpoint?.size ?? null,
    root: root ?? null,
    first_time: span?.first ?? null,
    last_time: span?.last ?? null,
    broken: broken ? { ...broken, file: place?.file ?? null, line: place?.line ?? null } : null,
  };
}

function wholeText(out: Output, report: TrailFileReport, key: string, continues: number | undefined): string {
  const { header, entries, erased, from, checkpoints, lastCheckpoint, root, span } = report;
  const fields: [string, string | undefined][] = [
    ["Trail", header?.origin],
    ["Entries", entries > 0 ? `${entries} (${from} to ${from + entries - 1})` : "none"],
    ["Archived", erased > 0 ? `${erased}, of which only the hashes are here` : undefined],
    ["Time", span && (span.first === span.last ? span.first : `${span.first} to ${span.last}`)],
    ["Checkpoints", `${checkpoints} checked, the last over ${counted(lastCheckpoint?.size ?? 0, "entry")}`],
    ["Tree root", root],
    ["Key", key],
    ["Continues", continues === undefined ? undefined : `the checkpoint over ${counted(continues, "entry")}`],
  ];
  return [
    out.style("green", "The trail is whole: nothing in it was changed, moved or taken out."),
    ...doubts(out, report, continues),
    "",
    out.fields(fields),
  ].join("\n");
}

/** What a whole file does not show by itself. */
function doubts(out: Output, report: TrailFileReport, continues: number | undefined): string[] {
  const { trailSize, from, entries, unrecorded } = report;
  const told: string[] = [];
  const isPart = from > 0 || from + entries < trailSize;
  if (isPart) told.push(`It is a part of a trail of ${counted(trailSize, "entry")}.`);
  if (unrecorded > 0) {
    const which = unrecorded === 1 ? "1 entry" : `${unrecorded} entries`;
    told.push(
      `Of ${which} only hashes are here, and nothing in this part says why; what comes behind it must.`,
    );
  }
  if (continues === undefined)
    told.push("Whether its end was cut off before it was exported, an earlier one shows: --since <file>");
  return told.map((text) => out.style(unrecorded > 0 ? "yellow" : "dim", text));
}

/** What is broken, in words. */
export function brokenText(out: Output, report: TrailFileReport, key: string): string {
  const { broken, place, lastCheckpoint, header } = report;
  const at = place === undefined ? "" : `${place.file}, line ${place.line}: `;
  const lines = [out.style("red", "The trail is broken."), "", `${at}${broken?.problem}`];
  if (header && header.key !== key && (broken?.kind === "signature_wrong" || broken?.kind === "key_missing"))
    lines.push(`The file names another key than the one that you gave: ${header.key}`);
  lines.push(
    lastCheckpoint === undefined
      ? "Nothing before that is covered by a good signature."
      : `Signed and whole are the entries before ${lastCheckpoint.size}.`,
  );
  return lines.join("\n");
}
