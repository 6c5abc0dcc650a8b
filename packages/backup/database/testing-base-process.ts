import { writeSync } from "node:fs";
import { systemClock } from "@securewave/foundation";
import { restoreDatabase } from "../restoring/restore.ts";
import { openTarget } from "../targets/open.ts";
import { takeBase } from "./base.ts";

/** Takes a base or restores one, to be killed in the middle: says `at work` when something is under way, and stays there. */
const [, , act, url = "", key = "", place = ""] = process.argv;
const target = await openTarget({ url });
const tell = () => {
  writeSync(1, "at work\n");
  process.kill(process.pid, "SIGSTOP");
};
if (act === "base") {
  const connection = { host: place, port: 5432, user: "securewave", database: "postgres" };
  const onProgress = (done: number) => void (done > 0 && tell());
  await takeBase({ target, recipients: [key], connection, version: "0.1.0", clock: systemClock, onProgress });
} else {
  await restoreDatabase({ target, identities: [key], to: "latest", into: place, onProgress: tell });
}
