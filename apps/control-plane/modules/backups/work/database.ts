import { STORE_DATABASE, STORE_USER } from "@securewave/database/postgres-process";
import { invariant } from "@securewave/foundation";
import { parsePool } from "@securewave/wireguard";
import type pg from "pg";
import { type ConfigDigest, digestConfigs } from "../../devices/index.ts";
import type { DatabaseAccess, TunnelTexts } from "../order.ts";

export function connectionOf({ url }: DatabaseAccess): pg.ClientConfig {
  return { connectionString: url };
}

/** As whom the service logs in, and to which database. */
export interface Login {
  readonly user: string;
  readonly database: string;
}

/** @param url undefined for the embedded store */
export function loginOf(url: string | undefined): Login {
  if (url === undefined) return { user: STORE_USER, database: STORE_DATABASE };
  const { username, pathname, searchParams } = new URL(url);
  const user = decodeURIComponent(username) || (searchParams.get("user") ?? "postgres");
  return { user, database: decodeURIComponent(pathname.slice(1)) || user };
}

export function digestOf(client: Pick<pg.ClientBase, "query">, texts: TunnelTexts): Promise<ConfigDigest> {
  const { poolV4, poolV6, dns, mtu, keepaliveSeconds } = texts;
  const [v4, v6] = [parsePool(poolV4), parsePool(poolV6)];
  invariant(v4 && v6, "pools come from settings that were read");
  return digestConfigs(client, { pools: { v4, v6 }, dns, mtu, keepaliveSeconds });
}
