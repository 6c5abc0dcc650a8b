import { join, resolve } from "node:path";
import {
  listSettings,
  readSettings,
  readSource,
  type SettingsOf,
  variablesOf,
} from "@securewave/foundation/settings";
import type { Vault } from "@securewave/vault";
import { backupsSettings } from "./config/backups.ts";
import { frontSettings } from "./config/front.ts";
import { logsSettings } from "./config/logs.ts";
import { networkSettings } from "./config/network.ts";
import { peopleSettings } from "./config/people.ts";
import { storesSettings } from "./config/stores.ts";
import { isVaultUsed, startVault, vaultMistakes } from "./vault.ts";

/** Every setting of the control plane. `docs/config.md` is generated from it. */
export const settings = {
  ...frontSettings,
  ...storesSettings,
  ...peopleSettings,
  ...networkSettings,
  ...logsSettings,
  ...backupsSettings,
};

export type Config = SettingsOf<typeof settings>;

export const SETTINGS_FILE = "securewave.env";

export interface LoadedConfig {
  readonly config: Config;
  readonly mistakes: readonly string[];
  /** Connected while the service runs, for logins of the database; to be closed after it. */
  readonly vault: Vault | undefined;
}

/**
 * Reads the configuration from `securewave.env` (or the file that `SETTINGS_FILE` names) and the environment, and
 * the secrets that these leave out from Vault, where they name one.
 *
 * @param onVaultTrouble hears of failed renewals while the service runs
 */
export async function loadConfig(
  environment: NodeJS.ProcessEnv,
  onVaultTrouble: (error: unknown) => void = () => {},
): Promise<LoadedConfig> {
  const source = sourceOf(environment);
  const { settings: config, mistakes } = readSettings(settings, source);
  const misfits = vaultMistakes(config.vault, config.store.url);
  if (mistakes.length > 0 || misfits.length > 0 || !isVaultUsed(config.vault)) {
    return {
      config,
      mistakes: [...mistakes, ...misfits, ...missingSecrets(config, mistakes)],
      vault: undefined,
    };
  }
  const start = await startVault(config.vault, source, secretVariables(), onVaultTrouble);
  const whole = readSettings(settings, { ...source, vault: start.fields });
  const found = [...start.mistakes, ...whole.mistakes];
  const rest =
    start.mistakes.length > 0
      ? [] // what is missing would have come from Vault
      : [
          ...vaultMistakes(whole.settings.vault, whole.settings.store.url),
          ...missingSecrets(whole.settings, found),
        ];
  if (found.length + rest.length > 0) await start.vault?.close();
  return { config: whole.settings, mistakes: [...found, ...rest], vault: start.vault };
}

function sourceOf(environment: NodeJS.ProcessEnv) {
  const path = environment.SETTINGS_FILE;
  const file = { path: path ?? SETTINGS_FILE, isRequired: path !== undefined };
  return readSource(file, environment, variablesOf(settings));
}

/** The settings that were given, as texts; of secrets, that they were. */
export function givenSettings(
  environment: NodeJS.ProcessEnv,
): { variable: string; text: string | undefined }[] {
  const { values } = sourceOf(environment);
  return listSettings(settings)
    .filter(({ variable }) => values.has(variable) || values.has(`${variable}_FILE`))
    .map(({ variable, isSecret }) => ({ variable, text: isSecret ? undefined : values.get(variable) }));
}

function secretVariables(): Set<string> {
  const secrets = listSettings(settings).filter(({ isSecret }) => isSecret);
  return new Set(secrets.map(({ variable }) => variable));
}

function missingSecrets(config: Config, mistakes: readonly string[]): string[] {
  if (config.store.url === undefined) {
    const isMisplaced = config.vault.databaseRole !== undefined;
    return isMisplaced ? ["DATABASE_URL: must be set when VAULT_DATABASE_ROLE is"] : [];
  }
  const needed = [
    ["JWT_SECRET", config.sessions.jwtSecret],
    ["MASTER_KEY", config.masterKey],
  ] as const;
  return needed.flatMap(([variable, value]) =>
    value || mistakes.some((mistake) => mistake.startsWith(`${variable}:`))
      ? []
      : [`${variable}: must be set when DATABASE_URL is, so that all processes share it`],
  );
}

/** The origin that people use, such as `https://vpn.example.org`. */
export function publicUrlOf(config: Config): string {
  return config.http.publicUrl?.replace(/\/$/, "") ?? `http://localhost:${config.http.port}`;
}

export function ledgerKeyPathOf({ store, ledger }: Config): string {
  return resolve(ledger.path ?? join(store.dir, "never-in-backups", "ledger.key"));
}

/** The data key's file, and its copies. */
export function dataKeyPathsOf({ store, dataKey }: Config): [string, ...string[]] {
  const path = dataKey.path ?? join(store.dir, "never-in-backups", "data.key");
  return [resolve(path), ...dataKey.copies];
}
