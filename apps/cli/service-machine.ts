import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Call } from "./call.ts";
import { CliError } from "./failure.ts";
import { followProgram } from "./own-program.ts";
import { createSteps } from "./progress.ts";

// The service's own program: it reads the service's settings, and holds what reaches database and target.
const PROGRAM = fileURLToPath(new URL("../control-plane/modules/backups/work/machine.ts", import.meta.url));

const WHOSE_SETTINGS =
  "Settings are taken from this shell and folder: give it those that the service is started with, DATA_DIR and BACKUP_TARGET among them.";

/** What to do next, by the code of a refusal. */
const NEXT: Readonly<Record<string, string>> = {
  "backup.folder_in_use":
    "Stop the service, and move the folder away or name another one: --into <dir>. Nothing was changed.",
  "backup.folder_impossible": "Name another one: --into <dir>. Nothing was changed.",
  "backup.too_early": "See from when it can be restored: securewave backup status",
  "backup.too_late": "See until when it can be restored, or restore --to latest",
  "backup.no_backup": WHOSE_SETTINGS,
  "backups.not_found": `See them: securewave backup list. ${WHOSE_SETTINGS}`,
  "backup_keys.none": WHOSE_SETTINGS,
  "backup_restore.no_data_key": WHOSE_SETTINGS,
  "backup_identities.missing": WHOSE_SETTINGS,
  "backup_identities.unreadable": "Name the file with the key: --key-file <file>",
  "backup_seal.invalid_key": "Name the file with the key: --key-file <file>",
  "backup_seal.wrong_key": "Name the file with the right key: --key-file <file>",
  "backup.archive_gap":
    "Restore to an instant before the gap, or after the next backup: securewave backup list",
};

/**
 * Has the service's own program do something on this machine; it takes its settings from the same files and variables
 * as the service does, and its order on standard input.
 *
 * @throws CliError with the program's code
 */
export async function onServiceMachine(
  call: Call,
  order: object,
): Promise<Readonly<Record<string, unknown>>> {
  if (!existsSync(PROGRAM))
    throw new CliError("cli.not_on_the_machine", "The service is not installed on this machine.", {
      next: "Run the command where the service runs, from its folder.",
    });
  let result: Readonly<Record<string, unknown>> | undefined;
  let refused: { readonly code: string; readonly message: string } | undefined;
  const bars = createSteps(call);
  await followProgram<Event>(
    PROGRAM,
    [],
    ["progress", "done", "refused"],
    (event) => {
      if (event.kind === "done") result = event.result;
      else if (event.kind === "refused") refused = event;
      else bars.show(event.doing, event.share);
    },
    { env: { ...call.environment.env }, input: `${JSON.stringify(order)}\n` },
  );
  bars.end();
  if (refused !== undefined) {
    const next = NEXT[refused.code];
    throw new CliError(refused.code, refused.message, next === undefined ? {} : { next });
  }
  if (result === undefined) throw new CliError("cli.failed", "The program ended without a result.");
  return result;
}

type Event =
  | { readonly kind: "progress"; readonly doing: string; readonly share: number }
  | { readonly kind: "done"; readonly result: Readonly<Record<string, unknown>> }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };
