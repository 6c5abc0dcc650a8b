import { createPrivateKey } from "node:crypto";
import { writeSync } from "node:fs";
import { openDatabase } from "@securewave/database";
import { createId, systemClock } from "@securewave/foundation";
import { serviceKeyOf } from "../service-keys/index.ts";
import { createAudit } from "./service.ts";

/**
 * Another process on the trail of a test: `write` writes acts, gives them places and signs until it is killed, and
 * prints the account of each act that was acknowledged; `archive` archives what is older than a day and prints `done`.
 */
const [mode, url = "", archiveDir = ""] = process.argv.slice(2);
const WRITERS = 4;

const database = await openDatabase({ url, poolMax: 8, statementTimeoutMs: 15_000 });
const audit = createAudit({
  database,
  clock: systemClock,
  key: serviceKeyOf(createPrivateKey(process.env.AUDIT_KEY ?? "")),
  origin: "vpn.example.org/audit",
  archiveDir,
  retentionDays: 1,
  onError: (error) => writeSync(2, `${error}\n`),
});

if (mode === "archive") {
  await audit.archiveOld();
  writeSync(1, "done\n");
  await audit.close();
  await database.close();
} else {
  const repeat = async (work: () => Promise<unknown>) => {
    for (;;) await work();
  };
  const write = async () => {
    const actor = createId("account");
    await database.transaction((trx) => audit.record(trx, { kind: "session_ended", actor, subject: actor }));
    writeSync(1, `${actor}\n`);
  };
  const writers = Array.from({ length: WRITERS }, () => repeat(write));
  await Promise.all([...writers, repeat(audit.sequence), repeat(audit.sign)]);
}
