import { type Logins, roleOf, SERVICE_LOGINS } from "@securewave/database";
import type { Config } from "./config.ts";

/**
 * Under which logins the service works. The embedded store has them all, by name: its socket asks for no password. On
 * another PostgreSQL whoever runs it makes them, and what has none is done under the owner's.
 */
export function loginsOf({ url, logins }: Pick<Config["store"], "url" | "logins">): Logins {
  if (url === undefined)
    return Object.fromEntries(SERVICE_LOGINS.map((login) => [login, { user: roleOf(login) }]));
  return Object.fromEntries(
    SERVICE_LOGINS.flatMap((login) => {
      const own = logins[login];
      return own === undefined ? [] : [[login, { connectionString: own.reveal() }]];
    }),
  );
}
