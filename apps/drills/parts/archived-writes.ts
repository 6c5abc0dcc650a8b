import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "@securewave/contracts";
import type { Drill } from "../drill.ts";
import { archived, backUp, followed } from "./backups.ts";
import { type Heartbeat, type Settled, startHeartbeat } from "./heartbeat.ts";

/** Writes to a service with a backup: some of them are surely in the archive, and some came after. */
export interface ArchivedWrites extends Pick<Heartbeat, "nextAfter"> {
  /** Ends the writing, and checks that what the archive had is not lost. @param faultMs when the fault came */
  settle(faultMs: number): Promise<Settled>;
}

/** Before what is surely in the archive, and after it. */
const WRITES_FOR_MS = 3_000;

/** Makes a backup of the database, and writes from then on until it is settled. */
export async function startArchivedWrites(drill: Drill, admin: Client): Promise<ArchivedWrites> {
  await followed(admin);
  await backUp(drill, admin, "database");
  const heartbeat = startHeartbeat(admin);
  drill.closing.defer(heartbeat.stop);
  await pause(WRITES_FOR_MS);
  const keptToMs = await archived(admin);
  await pause(WRITES_FOR_MS);
  return {
    nextAfter: heartbeat.nextAfter,
    async settle(faultMs) {
      const settled = await heartbeat.settle(admin, faultMs);
      drill.step(`${settled.lost} of ${settled.acknowledged} acknowledged writes are lost`);
      const isKept = settled.rpoSeconds < (faultMs - keptToMs) / 1000;
      drill.check("none is lost of those that the archive had", isKept);
      return settled;
    },
  };
}
