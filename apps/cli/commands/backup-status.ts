import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { BackupState } from "@securewave/contracts";
import type { Perform } from "../call.ts";
import { EXIT } from "../failure.ts";
import { humanBytes, timeText } from "../human.ts";
import type { Output } from "../output.ts";
import { ageText, checksText } from "./backup-views.ts";

const ARCHIVE = {
  following: "follows every write",
  elsewhere: "another process of the service follows",
  stopped: "does not follow",
  off: "switched off",
} as const;

export function addBackupStatusCommand(backup: CommandUnknownOpts, perform: Perform): void {
  backup
    .command("status")
    .description("the newest backup of each kind, and from when to when the database can be restored")
    .addHelpText(
      "after",
      `
Exit code 1 where something needs a hand.

Examples:
  $ securewave backup status
  $ securewave backup status --json`,
    )
    .action(() =>
      perform(async ({ client, out, nowMs }) => {
        const state = await (await client()).backups.state();
        const needs = needsOf(state);
        out.result(state, () => statusText(out, state, needs, nowMs));
        return needs.length === 0 ? undefined : EXIT.failed;
      }),
    );
}

/** What the operator should do, each with how. */
function needsOf({ is_on, newest, archive, is_on_stores_disk, last_verification }: BackupState): string[] {
  if (!is_on) return ["Backups are switched off: set BACKUPS=on."];
  return [
    ...newest
      .filter(({ backup }) => backup === null)
      .map(({ kind }) => `There is no backup of the ${kind}: securewave backup run --kind ${kind}`),
    ...(archive.problem === null ? [] : [`The archive: ${archive.problem}`]),
    ...(is_on_stores_disk
      ? ["Backups lie on the disk of the store itself: set BACKUP_TARGET to another disk or machine."]
      : []),
    ...(last_verification?.outcome === "failed"
      ? [`The backup ${last_verification.backup_id} is damaged: make another one, and look at the target.`]
      : []),
  ];
}

function statusText(out: Output, state: BackupState, needs: readonly string[], nowMs: number): string {
  const { archive, retention_days: days, last_verification: verification } = state;
  const until = archive.restorable_to ?? (archive.state === "elsewhere" ? "now" : null);
  const facts = out.fields([
    ...state.newest.map(
      ({ kind, backup }) =>
        [
          kind,
          backup === null
            ? out.style("red", "none")
            : `${ageText(backup.taken_at, nowMs)}, ${humanBytes(backup.bytes)}, kept for ${days[kind]} days`,
        ] as const,
    ),
    [
      "Archive",
      `${ARCHIVE[archive.state]}${archive.lag_seconds === null ? "" : `, ${archive.lag_seconds} s behind`}`,
    ],
    [
      "Restorable",
      archive.restorable_from === null
        ? "no"
        : `from ${timeText(archive.restorable_from.slice(0, 19))} to ${until === null ? "the newest backup" : timeText(until.slice(0, 19))} UTC`,
    ],
    ["Target", state.target],
    ["Sealed for", state.recipient ?? undefined],
    ["Verified", verification === null ? "never" : ageText(verification.verified_at, nowMs)],
  ]);
  const checks = verification === null ? [] : ["", checksText(out, verification.checks)];
  const todo = needs.length === 0 ? [] : ["", ...needs.map((need) => out.style("yellow", need))];
  return [facts, ...checks, ...todo].join("\n");
}
