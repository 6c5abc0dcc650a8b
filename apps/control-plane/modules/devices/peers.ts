import { setImmediate as pause } from "node:timers/promises";
import type { PeerSpec } from "@securewave/contracts/node-protocol";
import type { Database } from "@securewave/database";
import { RefusalError } from "@securewave/foundation";
import { type DataKeys, dataKeyErrors, PLACES } from "../data-keys/index.ts";
import type { PeerSource } from "../nodes/index.ts";
import { readPeers } from "./peer-store.ts";
import type { Tunnels } from "./tunnel.ts";

export interface PeersOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly tunnels: Tunnels;
}

/** A peer as a backup may hold it. */
export interface KeptPeer {
  /** Without the preshared key that was agreed: it is sealed under its account's key, and in no backup otherwise. */
  readonly spec: PeerSpec;
  readonly isAgreed: boolean;
}

type PeerRow = Awaited<ReturnType<typeof readPeers>>[number];

/** Others have their turn in between: an agreed preshared key costs 0.2 ms where its account's key is not at hand. */
const ROWS_AT_ONCE = 50;
const LOST: ReadonlySet<string> = new Set([dataKeyErrors.forgotten.code, dataKeyErrors.unopenable.code]);

/** The peers of nodes, as the tables have them. */
export function createPeers({
  database,
  dataKeys,
  tunnels,
}: PeersOptions): PeerSource & { readKept(nodeId: string): Promise<KeptPeer[]> } {
  /** Null where none was agreed; undefined where it went with its account, or was damaged: all others go through. */
  function agreedKeyOf({ account_number, public_key, preshared_key_sealed }: PeerRow) {
    if (preshared_key_sealed === null) return null;
    if (account_number === null) return undefined;
    try {
      return dataKeys.of(account_number).open(PLACES.devicePresharedKey, public_key, preshared_key_sealed);
    } catch (error) {
      if (error instanceof RefusalError && LOST.has(error.code)) return undefined;
      throw error;
    }
  }

  function specOf(row: PeerRow) {
    const { public_key, preshared_key_master, is_removed, address_index, tier } = row;
    const agreedKey = is_removed || address_index === null ? undefined : agreedKeyOf(row);
    if (address_index === null || agreedKey === undefined) return undefined;
    return tunnels.specOf({ public_key, preshared_key_master, address_index, tier }, agreedKey);
  }

  return {
    async readChanges(nodeId, afterRevision) {
      const entries = [];
      let agreed = 0;
      for (const row of await readPeers(database.db, nodeId, afterRevision)) {
        if (row.preshared_key_sealed !== null && ++agreed % ROWS_AT_ONCE === 0) await pause();
        const { revision, public_key: publicKey, account_id } = row;
        entries.push({ revision, publicKey, accountId: account_id ?? undefined, spec: specOf(row) });
      }
      return entries;
    },

    /** For backups. */
    async readKept(nodeId) {
      return (await readPeers(database.db, nodeId, -1)).flatMap((row) => {
        const { public_key, preshared_key_master, is_removed, address_index, tier } = row;
        if (is_removed || address_index === null) return [];
        const isAgreed = row.preshared_key_sealed !== null;
        const master = isAgreed ? null : preshared_key_master;
        return [
          {
            spec: tunnels.specOf({ public_key, preshared_key_master: master, address_index, tier }),
            isAgreed,
          },
        ];
      });
    },
  };
}
