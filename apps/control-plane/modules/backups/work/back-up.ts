import { setTimeout as pause } from "node:timers/promises";
import { storeBackup, type Target, takeBase } from "@securewave/backup";
import { type Clock, systemClock } from "@securewave/foundation";
import type { BackupOrder } from "../order.ts";
import { countAtOneMoment } from "./count.ts";
import { connectionOf, digestOf } from "./database.ts";
import { FIGURES } from "./figures.ts";
import type { Said } from "./said.ts";

/** A base can be restored to whole seconds from its end on. */
const COUNTED_AFTER_MS = 1_100;

type Order = Extract<BackupOrder, { act: "back_up" }>;

/** Makes a backup of each kind that is wanted; one that fails keeps no other from being made. */
export async function backUp(
  order: Order,
  target: Target,
  { emit, failed, signal }: Said,
  clock: Clock = systemClock,
): Promise<void> {
  const recipients = [order.keys.recipient];
  const { version, kinds } = order;
  for (const [index, kind] of kinds.entries()) {
    const tell = (share: number) =>
      void emit({ kind: "progress", doing: `back up ${kind}`, share: (index + share) / kinds.length });
    tell(0);
    try {
      signal.throwIfAborted();
      const made =
        kind === "database"
          ? await takeBase({
              target,
              recipients,
              connection: { connectionString: order.database.replicationUrl },
              version,
              clock,
              counts: () => figuresOf(order),
              onProgress: (done, all) => tell(all === 0 ? 0 : Math.min(0.95, done / all)),
              signal,
            })
          : await storeBackup({
              target,
              recipients,
              kind,
              version,
              contents: order.texts[kind].map(({ name, text }) => ({
                name,
                open: async () => [Buffer.from(text)],
              })),
              counts: order.counts[kind],
              clock,
            });
      await emit({ kind: "made", backupId: made.id });
    } catch (error) {
      await failed(kind, error);
    }
  }
}

/** What a verification compares a restored database with; none where no moment could be had. */
async function figuresOf(order: Order): Promise<Record<string, number>> {
  await pause(COUNTED_AFTER_MS);
  const figures: Record<string, number> = {};
  const counted = await countAtOneMoment(connectionOf(order.database), async (client) => {
    const { devicesCount, digest } = await digestOf(client, order.tunnels);
    figures[FIGURES.devices] = devicesCount;
    figures[FIGURES.configs] = digest;
  });
  return counted === undefined ? {} : { ...counted.rows, ...figures, [FIGURES.atMs]: counted.atMs };
}
