import type { PeerReport } from "@securewave/contracts/node-protocol";
import { SECOND_MS } from "@securewave/foundation";
import type { PeerCounters } from "./drivers/driver.ts";

/**
 * WireGuard §6.1, REJECT_AFTER_TIME: a session ends this long after its handshake. A peer in use makes another after
 * 120 s (REKEY_AFTER_TIME).
 */
const SESSION_SECONDS_MAX = 180;

/** The peers with a live session. */
export function connectedPeers(counters: readonly PeerCounters[], nowMs: number): PeerReport[] {
  const nowSeconds = Math.floor(nowMs / SECOND_MS);
  const connected: PeerReport[] = [];
  for (const { publicKey, receivedBytes, sentBytes, lastHandshakeSeconds } of counters) {
    const ageSeconds = Math.max(0, nowSeconds - lastHandshakeSeconds);
    if (ageSeconds >= SESSION_SECONDS_MAX) continue;
    connected.push({
      public_key: publicKey,
      received_bytes: receivedBytes,
      sent_bytes: sentBytes,
      handshake_age_seconds: ageSeconds,
    });
  }
  return connected;
}
