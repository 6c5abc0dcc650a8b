import type { Settings as SettingsSchema } from "@securewave/contracts";
import { api } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import type { Static } from "typebox";
import type { Bus } from "../../bus.ts";
import { createCache } from "../../cache.ts";
import type { Mount } from "../../http/mount.ts";

export type Settings = Static<typeof SettingsSchema>;

const DEFAULTS: Settings = { service_name: "SecureWave", registration: "open", devices_per_account_max: 5 };

/** What admins can change while the service runs. */
export interface SettingsStore {
  read(): Promise<Settings>;
  change(change: Partial<Settings>): Promise<Settings>;
}

export function createSettings(db: Kysely<Tables>, bus: Bus): SettingsStore {
  const cache = createCache(load, bus);

  async function load(): Promise<Settings> {
    const rows = await db.selectFrom("settings").selectAll().execute();
    const stored = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    return { ...DEFAULTS, ...stored };
  }
  return {
    read: cache.read,
    async change(change) {
      const rows = Object.entries(change).map(([name, value]) => ({ name, value: JSON.stringify(value) }));
      await db
        .insertInto("settings")
        .values(rows)
        .onConflict((conflict) =>
          conflict.column("name").doUpdateSet((row) => ({ value: row.ref("excluded.value") })),
        )
        .execute();
      bus.publish("registry-changed", "settings");
      return cache.read();
    },
  };
}

export function mountSettings(mount: Mount, settings: SettingsStore): void {
  mount(api.service.readSettings, () => settings.read());
  mount(api.service.changeSettings, ({ body }) => settings.change(body));
}
