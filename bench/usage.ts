import type { Bench } from "./figure.ts";
import { measureBytes } from "./usage-bytes.ts";
import { measureLedger } from "./usage-ledger.ts";
import { measureIngest } from "./usage-live.ts";

export const usage: Bench = {
  name: "usage",
  async measure(run) {
    await measureIngest(run);
    await measureLedger(run);
    await measureBytes(run);
  },
};
