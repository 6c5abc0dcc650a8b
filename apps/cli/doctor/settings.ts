import { resolve } from "node:path";
import { parseEnv } from "node:util";
import {
  integer,
  optionalSecret,
  readSettings,
  readSource,
  text,
  variablesOf,
} from "@securewave/foundation/settings";
import type { Machine } from "./machine.ts";

/** The settings of the service that decide what the machine must offer, with the service's own defaults. */
const settings = {
  settingsDataDir: text("DATA_DIR", "Folder of the embedded store.", {
    range: "a path",
    parse: (path) => path,
    default: "data",
  }),
  databaseUrl: optionalSecret("DATABASE_URL", "PostgreSQL in place of the embedded store.", {
    range: "a postgres:// URL",
    isAllowed: (url) => /^postgres(ql)?:\/\/.+/.test(url),
  }),
  apiHost: text("API_HOST", "Address of the API.", {
    range: "a host name or address",
    parse: (host) => host,
    default: "0.0.0.0",
  }),
  apiPort: integer("API_PORT", "Port of the API.", { default: 8000, min: 1, max: 65535 }),
  metricsHost: text("METRICS_HOST", "Address of the metrics.", {
    range: "a host name or address",
    parse: (host) => host,
    default: "127.0.0.1",
  }),
  metricsPort: integer("METRICS_PORT", "Port of the metrics.", { default: 9100, min: 1, max: 65535 }),
  nodePort: integer("LOCAL_NODE_PORT", "UDP port of the local node.", { default: 51820, min: 1, max: 65535 }),
  nodeName: text("LOCAL_NODE_NAME", "Name of the local node.", {
    range: "1 to 10 letters and digits",
    parse: (name) => (/^[a-z0-9]{1,10}$/i.test(name) ? name : undefined),
    default: "local",
  }),
};

export interface ServiceSettings {
  readonly path: string;
  readonly isThere: boolean;
  readonly mistakes: readonly string[];
  readonly dataDir: string;
  readonly usesOwnDatabase: boolean;
  readonly api: { readonly host: string; readonly port: number };
  readonly metrics: { readonly host: string; readonly port: number };
  readonly node: { readonly name: string; readonly port: number };
}

/**
 * Reads what `npm start` in the project's folder would read. Names that it does not know are left to the service to
 * judge.
 */
export async function readServiceSettings(
  machine: Machine,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ServiceSettings> {
  const baseDir = machine.projectDir ?? machine.workingDir;
  const named = env.SETTINGS_FILE ? env.SETTINGS_FILE : undefined;
  const path = resolve(baseDir, named ?? "securewave.env");
  const content = await machine.readText(path);
  const known = new Set([...variablesOf(settings), ...Object.keys(parseEnv(content ?? ""))]);
  const { settings: read, mistakes } = readSettings(
    settings,
    readSource({ path, isRequired: named !== undefined }, env, known),
  );
  return {
    path,
    isThere: content !== undefined,
    mistakes,
    dataDir: resolve(baseDir, read.settingsDataDir ?? "data"),
    usesOwnDatabase: read.databaseUrl !== undefined,
    api: { host: read.apiHost, port: read.apiPort ?? 8000 },
    metrics: { host: read.metricsHost, port: read.metricsPort ?? 9100 },
    node: { name: read.nodeName ?? "local", port: read.nodePort ?? 51820 },
  };
}
