import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Perform } from "../call.ts";
import { counted } from "../human.ts";
import { yesOption } from "../options.ts";
import { onServiceMachine } from "../service-machine.ts";

const KEY_FILE = [
  "--key-file <file>",
  "file with the key that opens backups, in place of the settings'",
] as const;

/** What is done on the service's own machine, also where the service does not run. */
export function addBackupMachineCommands(backup: CommandUnknownOpts, perform: Perform): void {
  backup
    .command("restore")
    .description("restore the database on this machine, while the service is stopped, into an empty folder")
    .requiredOption("--to <instant>", "`latest`, or an instant such as 2026-11-20T12:00:00Z")
    .option("--into <dir>", "PostgreSQL's data folder to be (default: that of the embedded store)")
    .option(...KEY_FILE)
    .addHelpText(
      "after",
      `
Nothing is ever written over: a folder that holds anything, or that a server uses, is refused. The data key must be
here, which is in no backup; whoever was erased since the backup is erased again at the service's next start.

Examples:
  $ securewave backup restore --to latest
  $ securewave backup restore --to 2026-11-20T12:00:00Z --into /var/lib/postgresql/restored`,
    )
    .action((options) =>
      perform(async (call) => {
        const order = { act: "restore", to: options.to, into: options.into, keyFile: options.keyFile };
        const restored = await onServiceMachine(call, order);
        call.out.result(restored, () =>
          [
            `Restored to ${restored.restored_to}, into ${restored.into}.`,
            options.into === undefined
              ? "Start the service: it erases again whom the backup brought back, and makes a new backup."
              : "Give the folder to PostgreSQL's user (chown -R), start PostgreSQL on it, and the service with its DATABASE_URL.",
          ].join("\n"),
        );
      }),
    );

  backup
    .command("export")
    .description("copy a backup from the target into a folder of this machine")
    .argument("<backup>", "its id")
    .requiredOption("-o, --out <dir>", "an empty folder, or one that there is not yet")
    .option("--open", "opened: settings and nodes' configurations as text")
    .option(...KEY_FILE)
    .addHelpText(
      "after",
      `
As it is kept, it stays sealed, and the folder can be restored from: BACKUP_TARGET=<dir>.

Examples:
  $ securewave backup export 20261122T020000Z-k3v9x2ab --out /mnt/usb/backup
  $ securewave backup export 20261122T020000Z-p7m2q9cd --out nodes --open`,
    )
    .action((backupId, { out: toDir, open: isOpened = false, keyFile }) =>
      perform(async (call) => {
        const result = await onServiceMachine(call, { act: "export", backupId, toDir, isOpened, keyFile });
        const files = Array.isArray(result.files) ? result.files : [];
        call.out.result(result, () => `${counted(files.length, "file")} written into ${result.dir}.`);
      }),
    );

  const key = backup.command("key").description("the key that opens backups");
  key
    .command("show")
    .description("show the key, to be kept in another place: without it no backup opens")
    .option("--public", "only the part that seals")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave backup key show > /mnt/usb/backup.key
  $ securewave backup key show --public`,
    )
    .action((options) =>
      perform(async (call) => {
        const { recipient, identities } = await onServiceMachine(call, { act: "keys" });
        const secrets = Array.isArray(identities) && options.public !== true ? identities.map(String) : [];
        const shown = options.public === true ? { recipient } : { recipient, identities: secrets };
        call.out.result(shown, () => [`# public key: ${recipient}`, ...secrets].join("\n"));
      }),
    );
  key
    .command("rotate")
    .description(
      "seal for a new key from the next start on; former ones go on opening what was sealed for them",
    )
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave backup key rotate --yes`,
    )
    .action(({ yes }) =>
      perform(async (call) => {
        await call.confirm("Make a new key for backups? Keep a copy of it elsewhere afterwards.", yes);
        const { recipient, file } = await onServiceMachine(call, { act: "rotate" });
        call.out.result({ recipient, file }, () =>
          [
            `New backups are sealed for ${recipient} from the service's next start on.`,
            `The keys are in ${file}: copy it to another place.`,
          ].join("\n"),
        );
      }),
    );
}
