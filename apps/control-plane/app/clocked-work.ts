import type { Ground } from "./ground.ts";
import type { Keys } from "./keys.ts";
import type { People } from "./people.ts";
import type { TunnelRoom } from "./tunnels.ts";

/** Every night, when few are about. */
const CLEAN_UP_CRON = "17 3 * * *";
/** What was done within the hour stands under a signature. */
const CHECKPOINT_CRON = "5 * * * *";

/** What the clock brings, apart from what a module defines for itself. */
export function defineClockedWork({ jobs }: Ground, keys: Keys, people: People, { nodes }: TunnelRoom): void {
  const { audit, keyRings } = keys;
  const { accounts, sessions, apiKeys, secondFactors } = people;
  jobs.define(
    "clean-up",
    async () => {
      await accounts.deleteExpired();
      await sessions.deleteExpired();
      await apiKeys.deleteExpired();
      await secondFactors.deleteExpired();
      await nodes.prune();
      await keyRings.deleteRetired();
      await audit.archiveOld();
    },
    { cron: CLEAN_UP_CRON },
  );
  jobs.define("audit-checkpoint", async () => void (await audit.sign()), { cron: CHECKPOINT_CRON });
}
