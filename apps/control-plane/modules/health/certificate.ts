import { connect } from "node:tls";
import { DAY_MS, HOUR_MS } from "@securewave/foundation";

const LOOKS_AGAIN_MS = 6 * HOUR_MS;
const TRIES_AGAIN_MS = HOUR_MS;
const PATIENCE_MS = 5_000;

/**
 * Days until the certificate ends by which browsers reach the service: it is asked for as they do, whatever proxy has
 * it. `NaN` while it is not known.
 */
export function createCertificateWatch(publicUrl: string, nowMs: () => number): () => Promise<number> {
  const { protocol, hostname, port } = new URL(publicUrl);
  if (protocol !== "https:") return async () => Number.NaN;
  let endsAtMs = Number.NaN;
  let looksAtMs = 0;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const host = hostname.replace(/^\[|\]$/g, "");
    const found = await endOf(host, port === "" ? 443 : Number(port)).catch(() => undefined);
    if (found !== undefined) endsAtMs = found;
    looksAtMs = performance.now() + (found === undefined ? TRIES_AGAIN_MS : LOOKS_AGAIN_MS);
  }
  return async () => {
    if (looking === undefined && performance.now() >= looksAtMs)
      looking = look().finally(() => {
        looking = undefined;
      });
    await looking;
    return Math.floor((endsAtMs - nowMs()) / DAY_MS);
  };
}

/** One that is not trusted, or has ended, is looked at like any other: nothing is sent over the connection. */
function endOf(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, servername: host, rejectUnauthorized: false, timeout: PATIENCE_MS });
    socket.once("secureConnect", () => {
      const endsAtMs = Date.parse(socket.getPeerCertificate().valid_to);
      socket.destroy();
      if (Number.isNaN(endsAtMs)) reject(new Error("no certificate"));
      else resolve(endsAtMs);
    });
    socket.once("timeout", () => socket.destroy(new Error("time-out")));
    socket.once("error", reject);
  });
}
