import { readFile } from "node:fs/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatVerifier } from "@securewave/audit-trail";
import { verifyReport } from "@securewave/ghosts/report";
import type { Perform } from "../call.ts";
import { CliError, EXIT } from "../failure.ts";
import { readVerifier, readVerifierBeside } from "./audit-kept.ts";
import { unreadable } from "./audit-lines.ts";
import { reportJson, reportText } from "./audit-zero-log-words.ts";

export function addVerifyReportCommand(audit: CommandUnknownOpts, perform: Perform): void {
  audit
    .command("verify-report")
    .description("check a zero-log report on this machine alone, and say what it covers and what not")
    .argument("<file>", "a signed report: what `audit zero-log --out` wrote, or the `note` of /api/zero-log")
    .option(
      "-k, --key <file>",
      "the verifier key that you kept, or a file with it (default: the .vkey beside it)",
    )
    .addHelpText(
      "after",
      `
Works without a log-in and without a network. The exit code is 1 for a report that was changed, and for one that is
not clean. A key that comes with a report proves nothing of itself: keep one, or ask somebody else for it.

Examples:
  $ securewave audit verify-report report.txt
  $ securewave audit verify-report report.txt --key vpn.example.org/zero-log+1a2b3c4d+AZq…`,
    )
    .action((file, { key }) =>
      perform(async ({ out }) => {
        const note = await readFile(file, "utf8").catch(() => undefined);
        if (note === undefined) throw unreadable(file);
        const verifier = await (key === undefined ? readVerifierBeside([file]) : readVerifier(key));
        const verified = verifyReport(note, verifier);
        if (verified === undefined)
          throw new CliError("cli.report_not_signed", whyNot(note, verifier.name), {
            next: "Take the report from the service once more: securewave audit zero-log --out <file>",
          });
        const keyText = formatVerifier(verifier);
        out.result({ file, ...reportJson(verified), key: keyText }, () =>
          [
            out.style("green", "The signature is good: nothing in the report was changed."),
            reportText(out, verified),
            "",
            `Key: ${keyText}`,
          ].join("\n"),
        );
        return verified.isConsistent && verified.report.outcome === "clean" ? undefined : EXIT.failed;
      }),
    );
}

/** Where it breaks: the signature's line, or what it is signed over. */
function whyNot(note: string, name: string): string {
  const signatures = note.split("\n").filter((line) => line.startsWith("— "));
  const signers = signatures.map((line) => line.split(" ")[1] ?? "");
  if (signers.length === 0) return "This is no signed report: it has no signature.";
  if (!signers.includes(name))
    return `It is signed as ${signers.join(", ")}, and the key is that of ${name}.`;
  return `The signature of ${name} does not fit: the report was changed after it was signed, or the key is another.`;
}
