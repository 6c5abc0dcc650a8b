import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runOrThrow, type TemporaryDir, temporaryDir } from "@securewave/testing";
import { type Peer, renderPeers } from "@securewave/wireguard";
import { openTestInterface, type TestInterface } from "@securewave/wireguard/testing-interface";
import { timed } from "./statistics.ts";

const BATCH = 2000;
const SYNCED_WITHIN_MS = 180_000;

/** An interface of wireguard-go that only `wg` is used on: the limit that the product is held against. */
export interface RawInterface {
  readonly name: string;
  /** Milliseconds of a spawned `wg set` that adds one peer, from spawning to its end. */
  timeSet(peer: Peer): Promise<number>;
  /** Milliseconds of a spawned `wg syncconf` to exactly these peers. */
  timeSyncconf(peers: readonly Peer[]): Promise<number>;
  /** Adds peers quickly; not to be timed. */
  fill(peers: readonly Peer[]): Promise<void>;
  remove(peer: Peer): Promise<void>;
  close(): Promise<void>;
}

export async function openRawInterface(): Promise<RawInterface> {
  const wireguard: TestInterface = await openTestInterface();
  // On a memory disk where there is one: `wg` takes secrets from files only.
  const dir: TemporaryDir = temporaryDir("bench-raw");
  const keyPath = join(dir.path, "preshared-key");
  const configPath = join(dir.path, "peers.conf");
  return {
    name: wireguard.name,
    async timeSet({ publicKey, presharedKey, allowedIps }) {
      writeFileSync(keyPath, `${presharedKey}\n`, { mode: 0o600 });
      const peer = ["peer", publicKey, "preshared-key", keyPath, "allowed-ips", allowedIps.join(",")];
      return timed(() => runOrThrow("wg", ["set", wireguard.name, ...peer]));
    },
    async timeSyncconf(peers) {
      writeFileSync(configPath, renderPeers(peers), { mode: 0o600 });
      return timed(() =>
        runOrThrow("wg", ["syncconf", wireguard.name, configPath], { timeoutMs: SYNCED_WITHIN_MS }),
      );
    },
    async fill(peers) {
      for (let at = 0; at < peers.length; at += BATCH) {
        await wireguard.uapi.set({ peers: peers.slice(at, at + BATCH) });
      }
    },
    async remove({ publicKey }) {
      await wireguard.uapi.set({ peers: [{ publicKey, remove: true }] });
    },
    async close() {
      await wireguard.close();
      dir.remove();
    },
  };
}
