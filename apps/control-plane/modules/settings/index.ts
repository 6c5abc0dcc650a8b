import type { Settings as SettingsSchema } from "@securewave/contracts";
import { api } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import type { Static } from "typebox";
import type { Bus } from "../../bus.ts";
import { createCache } from "../../cache.ts";
import type { Mount } from "../../http/mount.ts";
import type { Audit } from "../audit/index.ts";

export type Settings = Static<typeof SettingsSchema>;

const DEFAULTS: Settings = { service_name: "SecureWave", registration: "open", devices_per_account_max: 5 };

export interface SettingsOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly audit: Audit;
}

/** What admins can change while the service runs. */
export interface SettingsStore {
  read(): Promise<Settings>;
  /** @param actor the account that changes them */
  change(change: Partial<Settings>, actor: string): Promise<Settings>;
}

export function createSettings({ database, bus, audit }: SettingsOptions): SettingsStore {
  const { db } = database;
  const cache = createCache(load, bus);

  async function load(): Promise<Settings> {
    const rows = await db.selectFrom("settings").selectAll().execute();
    const stored = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    return { ...DEFAULTS, ...stored };
  }
  return {
    read: cache.read,
    async change(change, actor) {
      const rows = Object.entries(change).map(([name, value]) => ({ name, value: JSON.stringify(value) }));
      const details = { names: Object.keys(change) };
      await database.transaction(async (trx) => {
        await trx
          .insertInto("settings")
          .values(rows)
          .onConflict((conflict) =>
            conflict.column("name").doUpdateSet((row) => ({ value: row.ref("excluded.value") })),
          )
          .execute();
        await audit.record(trx, { kind: "settings_changed", actor, subject: "service", details });
      });
      bus.publish("registry-changed", "settings");
      return cache.read();
    },
  };
}

export function mountSettings(mount: Mount, settings: SettingsStore): void {
  mount(api.service.readSettings, () => settings.read());
  mount(api.service.changeSettings, ({ body, caller }) => settings.change(body, caller.accountId));
}
