import { RefusalError } from "@securewave/foundation";
import type { Secret } from "@securewave/foundation/secret";
import {
  optionalSecret,
  optionalText,
  type SettingsOf,
  type SettingsSource,
} from "@securewave/foundation/settings";
import { openVault, type Vault, type VaultLogin } from "@securewave/vault";
import { isConfidentialUrl } from "./setting-texts.ts";

/** Names of engines, folders and secrets, with slashes between. */
const PATH_PATTERN = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const isWord = (text: string) => /^[\x21-\x7e]+$/.test(text);

export const vaultSettings = {
  address: optionalText("VAULT_ADDR", "HashiCorp Vault or OpenBao to take secrets from.", {
    range: "an https URL, or http to this machine",
    isAllowed: isConfidentialUrl,
  }),
  token: optionalSecret(
    "VAULT_TOKEN",
    "Token for Vault. VAULT_TOKEN_FILE is read again when it has changed.",
    {
      range: "a token",
      isAllowed: isWord,
    },
  ),
  roleId: optionalText("VAULT_ROLE_ID", "AppRole to log in to Vault with, in place of a token.", {
    range: "a role id",
    isAllowed: isWord,
  }),
  secretId: optionalSecret("VAULT_SECRET_ID", "Secret id of that AppRole.", {
    range: "a secret id",
    isAllowed: isWord,
  }),
  namespace: optionalText("VAULT_NAMESPACE", "Namespace of Vault in which all this is.", {
    range: "names with slashes between",
    isAllowed: (text) => PATH_PATTERN.test(text.replace(/\/$/, "")),
  }),
  caPath: optionalText(
    "VAULT_CACERT",
    "Certificates that Vault's must be signed by, in place of the system's.",
    {
      range: "the path of a PEM file",
      isAllowed: (path) => path.length > 0,
    },
  ),
  kvPath: optionalText(
    "VAULT_KV_PATH",
    "Secret of Vault's KV engine (version 2) whose fields are named as the variables here that have a `_FILE` form: `secret/data/securewave`.",
    {
      range: "a path with `data` in it",
      isAllowed: (text) => PATH_PATTERN.test(text) && /\/data\//.test(text),
    },
  ),
  databaseRole: optionalText(
    "VAULT_DATABASE_ROLE",
    "Role of Vault's database engine that makes the logins for DATABASE_URL, which then has none.",
    { range: "a role's name", isAllowed: (text) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(text) },
  ),
};

export type VaultConfig = SettingsOf<typeof vaultSettings>;

/** VAULT_ADDR and VAULT_TOKEN alone often stand in an operator's environment for other programs. */
export function isVaultUsed({ kvPath, databaseRole }: VaultConfig): boolean {
  return kvPath !== undefined || databaseRole !== undefined;
}

/** What of the settings of Vault does not fit together. */
export function vaultMistakes(config: VaultConfig, databaseUrl: Secret | undefined): string[] {
  if (!isVaultUsed(config)) return [];
  const { address, token, roleId, secretId, databaseRole } = config;
  const hasRole = roleId !== undefined || secretId !== undefined;
  const rules: [boolean, string][] = [
    [address === undefined, "VAULT_ADDR: must be set when VAULT_KV_PATH or VAULT_DATABASE_ROLE is"],
    [
      address !== undefined && !token && !hasRole,
      "VAULT_TOKEN: must be set for VAULT_ADDR, or VAULT_ROLE_ID and VAULT_SECRET_ID",
    ],
    [hasRole && !(roleId && secretId), "VAULT_ROLE_ID: goes with VAULT_SECRET_ID, and neither goes alone"],
    [hasRole && token !== undefined, "VAULT_TOKEN: must not be set when VAULT_ROLE_ID is"],
    [
      databaseRole !== undefined && databaseUrl !== undefined && hasLogin(databaseUrl),
      "DATABASE_URL: must hold no user and password when VAULT_DATABASE_ROLE is set",
    ],
  ];
  return rules.flatMap(([isBroken, mistake]) => (isBroken ? [mistake] : []));
}

function hasLogin(url: Secret): boolean {
  if (!URL.canParse(url.reveal())) return false;
  const { username, password, searchParams } = new URL(url.reveal());
  return username !== "" || password !== "" || searchParams.has("user") || searchParams.has("password");
}

/** What Vault gave at the start: the connection, which stays, and the secrets. */
export interface VaultStart {
  readonly vault: Vault | undefined;
  readonly fields: ReadonlyMap<string, Secret>;
  readonly mistakes: readonly string[];
}

/**
 * Logs in to Vault and reads the secrets. What goes wrong is a mistake like those of other settings.
 *
 * @param secretVariables the fields that the secret may have
 * @param onTrouble hears of failed renewals while the service runs
 */
export async function startVault(
  config: VaultConfig,
  source: SettingsSource,
  secretVariables: ReadonlySet<string>,
  onTrouble: (error: unknown) => void,
): Promise<VaultStart> {
  const { address, namespace, caPath, kvPath } = config;
  const login = loginOf(config, source);
  const nothing = { vault: undefined, fields: new Map() };
  if (address === undefined || login === undefined) return { ...nothing, mistakes: [] };
  let vault: Vault | undefined;
  try {
    vault = await openVault({ address, login, namespace, caCertificatesPath: caPath, onTrouble });
    const fields = kvPath === undefined ? new Map() : (await vault.readKv(kvPath)).fields;
    const unknown = [...fields.keys()].filter(
      (name) => !secretVariables.has(name) || name.startsWith("VAULT_"),
    );
    return {
      vault,
      fields,
      mistakes: unknown.map((name) => `${name}: no secret has this name (in VAULT_KV_PATH)`),
    };
  } catch (error) {
    await vault?.close();
    if (!(error instanceof RefusalError)) throw error;
    return { ...nothing, mistakes: [`VAULT_ADDR: ${error.message}`] };
  }
}

function loginOf(
  { token, roleId, secretId }: VaultConfig,
  { values }: SettingsSource,
): VaultLogin | undefined {
  const path = values.get("VAULT_TOKEN_FILE");
  if (path !== undefined) return { kind: "token-file", path };
  if (token) return { kind: "token", token };
  return roleId && secretId ? { kind: "app-role", roleId, secretId } : undefined;
}
