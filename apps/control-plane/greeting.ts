import { join } from "node:path";
import type { Database } from "@securewave/database";
import { type Config, dataKeyPathsOf, publicUrlOf } from "./config.ts";
import type { LocalNode } from "./local-node.ts";

export interface GreetingOptions {
  readonly config: Config;
  readonly version: string;
  readonly database: Pick<Database, "kind">;
  readonly localNode: LocalNode;
  /** While there is no admin. */
  readonly setupToken: string | undefined;
}

/** What somebody who starts the service reads: where everything is, and once, how to make the first admin. */
export function greetingOf({ config, version, database, localNode, setupToken }: GreetingOptions): string {
  const url = publicUrlOf(config);
  const store = database.kind === "embedded" ? config.store.dir : "PostgreSQL at DATABASE_URL";
  const outbox = join(config.store.dir, "outbox");
  const node =
    localNode.state === "absent"
      ? `none on this machine: ${localNode.reason}\n               Add one in the console under Nodes: it shows the command to run on a server.`
      : `this machine, UDP port ${config.localNode.port}${localNode.problem ? `, but not yet: ${localNode.problem}` : ""}`;
  const lines = [
    "",
    `  SecureWave ${version} is running.`,
    "",
    `  Console      ${url}`,
    `  API          ${url}/api/docs/`,
    `  Data         ${store}`,
    `  Data key     ${dataKeyPathsOf(config)[0]}: in no backup, but with a copy on another disk (docs/data-keys.md)`,
    `  Mail         ${config.mail.smtpUrl ? "by SMTP" : `no mail server set: mails are written to ${outbox}`}`,
    `  VPN server   ${node}`,
    ...(setupToken
      ? ["", "  Create the first admin here (works once):", `  ${url}/setup#token=${setupToken}`]
      : []),
    "",
    "  Stop with Ctrl-C.",
    "",
  ];
  return lines.join("\n");
}
