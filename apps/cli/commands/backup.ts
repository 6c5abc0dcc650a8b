import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Backup, BackupKind } from "@securewave/contracts";
import { lists } from "../acts.ts";
import type { Call, Perform } from "../call.ts";
import { humanBytes } from "../human.ts";
import type { Column } from "../output.ts";
import { addBackupActs } from "./backup-acts.ts";
import { addBackupMachineCommands } from "./backup-machine.ts";
import { addBackupStatusCommand } from "./backup-status.ts";
import { ageText, backupText, kindOption } from "./backup-views.ts";

/** Backups: made, looked at and verified through the API; restored and exported on the service's own machine. */
export function addBackupCommands(program: CommandUnknownOpts, perform: Perform): void {
  const backup = program
    .command("backup")
    .description("backups of the database, the settings and the nodes; for admins");
  addBackupStatusCommand(backup, perform);
  addListCommand(backup, perform);
  addShowCommand(backup, perform);
  addBackupActs(backup, perform);
  addBackupMachineCommands(backup, perform);
}

function addListCommand(backup: CommandUnknownOpts, perform: Perform): void {
  const command = backup
    .command("list")
    .description("list backups, the newest first")
    .addOption(kindOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave backup list
  $ securewave backup list --kind database --all --json`,
    );
  lists(command, perform, {
    noun: "backup",
    none: "No backup yet. Make one: securewave backup run",
    open:
      (api, { kind }) =>
      (query) =>
        api.backups.list({
          query: { ...query, ...(kind === undefined ? {} : { kind: kind as BackupKind }) },
        }),
    columns: backupColumns,
  });
}

function addShowCommand(backup: CommandUnknownOpts, perform: Perform): void {
  backup
    .command("show")
    .description("show a backup, what is in it, and what its last verification found")
    .argument("<backup>", "its id")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave backup show 20261122T020000Z-k3v9x2ab`,
    )
    .action((id) =>
      perform(async ({ client, out, nowMs }) => {
        const found = await (await client()).backups.show({ params: { id } });
        out.result(found, () => backupText(out, found, nowMs));
      }),
    );
}

function backupColumns({ nowMs }: Call): Column<Backup>[] {
  return [
    { title: "ID", value: ({ id }) => id, style: () => "bold", isWhole: true },
    { title: "KIND", value: ({ kind }) => kind },
    { title: "TAKEN", value: ({ taken_at }) => ageText(taken_at, nowMs), align: "right" },
    { title: "SIZE", value: ({ bytes }) => humanBytes(bytes), align: "right" },
    {
      title: "VERIFIED",
      value: ({ verification }) =>
        verification === null
          ? "never"
          : verification.outcome === "passed"
            ? ageText(verification.verified_at, nowMs)
            : "DAMAGED",
      style: ({ verification }) => (verification?.outcome === "failed" ? "red" : undefined),
    },
  ];
}
