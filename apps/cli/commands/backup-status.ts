import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { BackupRun, BackupState } from "@securewave/contracts";
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

const ACTS = { back_up: "The backup", verify: "The verification", clean_up: "The clean-up" } as const;

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
        const { backups } = await client();
        const [state, { run }] = await Promise.all([backups.state(), backups.run()]);
        const needs = needsOf(state, run);
        out.result({ ...state, run }, () => statusText(out, state, run, needs, nowMs));
        return needs.length === 0 ? undefined : EXIT.failed;
      }),
    );
}

/** What the operator should do, each with how. */
function needsOf(
  { is_on, newest, archive, is_on_stores_disk, last_verification }: BackupState,
  run: BackupRun | null,
): string[] {
  const isDamaged = last_verification?.outcome === "failed";
  const hasFailed = run?.state === "failed" && !(run.act === "verify" && isDamaged);
  if (!is_on) return ["Backups are switched off: set BACKUPS=on."];
  return [
    ...newest
      .filter(({ backup }) => backup === null)
      .map(({ kind }) => `There is no backup of the ${kind}: securewave backup run --kind ${kind}`),
    ...(hasFailed ? [`${ACTS[run.act]} failed: ${run.problem ?? "it broke off."}`] : []),
    ...(archive.problem === null ? [] : [`The archive: ${archive.problem}`]),
    ...(is_on_stores_disk
      ? ["Backups lie on the disk of the store itself: set BACKUP_TARGET to another disk or machine."]
      : []),
    ...(isDamaged
      ? [`The backup ${last_verification.backup_id} is damaged: make another one, and look at the target.`]
      : []),
  ];
}

function statusText(
  out: Output,
  state: BackupState,
  run: BackupRun | null,
  needs: readonly string[],
  nowMs: number,
): string {
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
    [
      "Going on",
      run?.state === "running"
        ? `${ACTS[run.act]}: ${run.doing}, ${Math.floor(100 * run.share)} %`
        : undefined,
    ],
  ]);
  const checks = verification === null ? [] : ["", checksText(out, verification.checks)];
  const todo = needs.length === 0 ? [] : ["", ...needs.map((need) => out.style("yellow", need))];
  return [facts, ...checks, ...todo].join("\n");
}
