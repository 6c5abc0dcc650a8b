import { setTimeout as pause } from "node:timers/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { BackupRun, Client } from "@securewave/contracts";
import type { Call, Perform } from "../call.ts";
import { CliError, EXIT } from "../failure.ts";
import { counted } from "../human.ts";
import { yesOption } from "../options.ts";
import { createSteps } from "../progress.ts";
import { backupText, kindOption } from "./backup-views.ts";

const ASKS_EVERY_MS = 500;

/** What changes something, and takes a while: each shows how far it is. */
export function addBackupActs(backup: CommandUnknownOpts, perform: Perform): void {
  backup
    .command("run")
    .description("make a backup of each kind now, or of one; exit code 1 unless all succeeded")
    .addOption(kindOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave backup run
  $ securewave backup run --kind database --json`,
    )
    .action(({ kind }) =>
      perform(async (call) => {
        const api = await call.client();
        const ended = await carryOut(call, api, () =>
          api.backups.start({ body: kind === undefined ? {} : { kind } }),
        );
        const said = `${counted(ended.succeeded, "backup")} made, ${ended.failed} failed.`;
        call.out.result(ended, () => (ended.problem === null ? said : `${said}\n${ended.problem}`));
        return ended.state === "done" ? undefined : EXIT.failed;
      }),
    );

  backup
    .command("verify")
    .description(
      "open a backup and check all that is in it; one of the database is restored beside the service",
    )
    .argument("[backup]", "its id; the newest of the database where none is given")
    .addHelpText(
      "after",
      `
The service verifies the newest backups by itself every month.

Examples:
  $ securewave backup verify
  $ securewave backup verify 20261122T020000Z-k3v9x2ab`,
    )
    .action((given) =>
      perform(async (call) => {
        const api = await call.client();
        const id = given ?? (await newestId(api));
        const ended = await carryOut(call, api, () => api.backups.verify({ params: { id } }));
        if (ended.state === "failed" && ended.backup_ids.length === 0)
          throw new CliError("cli.verification_failed", ended.problem ?? "The verification broke off.");
        const verified = await api.backups.show({ params: { id } });
        call.out.result(verified, () => backupText(call.out, verified, call.nowMs));
        return verified.verification?.outcome === "passed" ? undefined : EXIT.failed;
      }),
    );

  backup
    .command("cleanup")
    .description("remove backups whose days are over, and what interrupted ones left")
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
The service does it every day. What is needed to restore the database to any second of its days stays.

Examples:
  $ securewave backup cleanup --yes`,
    )
    .action(({ yes }) =>
      perform(async (call) => {
        const api = await call.client();
        await call.confirm("Remove the backups whose days are over, for good?", yes);
        const ended = await carryOut(call, api, () => api.backups.cleanUp());
        call.out.result(ended, () => ended.problem ?? `${counted(ended.succeeded, "backup")} removed.`);
        return ended.state === "done" ? undefined : EXIT.failed;
      }),
    );
}

async function newestId(api: Client): Promise<string> {
  const { items } = await api.backups.list({ query: { kind: "database", limit: 1 } });
  const [newest] = items;
  if (newest === undefined)
    throw new CliError("cli.no_backup", "There is no backup of the database yet.", {
      next: "Make one: securewave backup run",
    });
  return newest.id;
}

/** Begins a work and shows how far it is, until it is over. */
async function carryOut(call: Call, api: Client, begin: () => Promise<BackupRun>): Promise<BackupRun> {
  const begun = await begin();
  const bars = createSteps(call);
  try {
    for (let run = begun; ; ) {
      bars.show(run.doing, run.share);
      if (run.state !== "running") return run;
      await pause(ASKS_EVERY_MS);
      const { run: now } = await api.backups.run();
      // Behind a balancer, another process may be the one that works.
      if (now !== null && now.begun_at >= begun.begun_at) run = now;
    }
  } finally {
    bars.end();
  }
}
