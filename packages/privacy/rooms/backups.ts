import { type Group, NOBODYS } from "../entry.ts";
import { count, id, instant, members, text, word } from "../fields.ts";
import { table } from "../table.ts";

const BY_THE_CLOCK = "made by the clock, or when staff asked for it";
const BACKUPS = { class: "durable", ...NOBODYS } as const;

/** What the service knows of its backups; what stands in these is listed where it comes from. */
export const backupTables: readonly Group[] = [
  table("backups", {
    what: "a backup that the target holds",
    ...BACKUPS,
    lifetime: "until the backup is removed: 35 days for the database, 30 for settings, 90 for nodes",
    purpose: "to find the right one when it is needed",
    columns: {
      id: id("the backup"),
      kind: word("of what", ["database", "config", "vpn"]),
      taken_at: instant("when it was taken", BY_THE_CLOCK),
      version: text("which version of the service made it"),
      size_bytes: count("how large it is"),
      objects: count("of how many files it consists"),
      counts: members("how many rows its tables had: names of tables, and numbers"),
    },
  }),
  table("backup_verifications", {
    what: "what came of restoring a backup to try it",
    ...BACKUPS,
    lifetime: "until 100 newer ones are there",
    purpose: "to know that backups can be restored",
    columns: {
      number: count("number of the verification"),
      backup_id: id("of which backup"),
      verified_at: instant("when", BY_THE_CLOCK),
      outcome: word("what came of it", ["passed", "failed"]),
      checks: members("what was looked at, and what was found: sentences without names"),
    },
  }),
  table("backup_runs", {
    what: "work on backups that was done",
    ...BACKUPS,
    lifetime: "until 100 newer ones are there",
    purpose: "to notice when backups fail",
    columns: {
      number: count("number of the run"),
      act: word("what was done", ["back_up", "verify", "clean_up", "restore"]),
      begun_at: instant("when it began", BY_THE_CLOCK),
      ended_at: instant("when it ended", BY_THE_CLOCK),
      succeeded: count("how many backups succeeded"),
      failed: count("how many failed"),
      backup_ids: id("the backups"),
      problem: text("why it failed"),
      restored_to: instant("to which moment the store was restored", "staff restored it"),
    },
  }),
];
