/**
 * Reads what `wg show <interface> <field>` prints for the fields that hold no endpoint (`dump` holds one), and writes
 * what `wg setconf`, `syncconf` and `addconf` read.
 *
 * @see wg(8)
 */
import { invariant } from "@securewave/foundation";
import { canonicalAllowedIp } from "./addresses.ts";
import {
  type PresharedKey,
  type PrivateKey,
  type PublicKey,
  parsePresharedKey,
  parsePrivateKey,
  parsePublicKey,
} from "./keys.ts";
import type { Peer } from "./peer.ts";

export type Transfer = { readonly rxBytes: number; readonly txBytes: number };

/** Reads `wg show <interface> transfer`: bytes received from and sent to each peer. */
export function parseTransfer(text: string): Map<PublicKey, Transfer> | undefined {
  return parseLines(text, (rest) => {
    const [rx, tx, ...more] = rest.split("\t");
    const rxBytes = parseCount(rx);
    const txBytes = parseCount(tx);
    if (rxBytes === undefined || txBytes === undefined || more.length > 0) return undefined;
    return { rxBytes, txBytes };
  });
}

/** Reads `wg show <interface> latest-handshakes`: seconds since 1970, 0 for a peer that has had none. */
export function parseLatestHandshakes(text: string): Map<PublicKey, number> | undefined {
  return parseLines(text, parseCount);
}

/** Reads `wg show <interface> allowed-ips`. */
export function parseAllowedIps(text: string): Map<PublicKey, string[]> | undefined {
  return parseLines(text, (rest) => {
    if (rest === "(none)") return [];
    const prefixes = rest.split(" ");
    return prefixes.every((prefix) => canonicalAllowedIp(prefix) === prefix) ? prefixes : undefined;
  });
}

/** Reads `wg show <interface> preshared-keys`; null for a peer that has none. */
export function parsePresharedKeys(text: string): Map<PublicKey, PresharedKey | null> | undefined {
  return parseLines(text, (rest) => (rest === "(none)" ? null : parsePresharedKey(rest)));
}

const NEWLINE = 0x0a;
const TAB = 0x09;
const NO_ENDPOINT = new TextEncoder().encode("(none)");

/**
 * Reads from `wg show <interface> endpoints` which peers have an endpoint; undefined when it is malformed. Only the keys
 * become text: the endpoints are compared as bytes.
 */
export function parseEndpointPresence(text: Uint8Array): Set<PublicKey> | undefined {
  const present = new Set<PublicKey>();
  for (let start = 0; start < text.length; ) {
    const lineBreak = text.indexOf(NEWLINE, start);
    const end = lineBreak === -1 ? text.length : lineBreak;
    const tab = text.subarray(start, end).indexOf(TAB);
    const publicKey =
      tab === -1 ? undefined : parsePublicKey(String.fromCharCode(...text.subarray(start, start + tab)));
    if (publicKey === undefined) return undefined;
    if (!isSame(text.subarray(start + tab + 1, end), NO_ENDPOINT)) present.add(publicKey);
    start = end + 1;
  }
  return present;
}

function isSame(bytes: Uint8Array, others: Uint8Array): boolean {
  return bytes.length === others.length && bytes.every((byte, at) => byte === others[at]);
}

export type WgInterface = {
  readonly privateKey?: PrivateKey;
  readonly listenPort?: number;
};

/**
 * Writes a configuration for `wg setconf`, `syncconf` or `addconf`. Given without interface fields, `setconf` and
 * `syncconf` leave those as they are.
 *
 * @throws InvariantError when a field does not hold what its type says
 */
export function renderPeers(peers: Iterable<Peer>, settings: WgInterface = {}): string {
  const { privateKey, listenPort } = settings;
  let text = "";
  if (privateKey !== undefined || listenPort !== undefined) text += "[Interface]\n";
  if (privateKey !== undefined) {
    invariant(parsePrivateKey(privateKey) === privateKey, "a private key is canonical");
    text += `PrivateKey = ${privateKey}\n`;
  }
  if (listenPort !== undefined) {
    invariant(
      Number.isInteger(listenPort) && listenPort >= 0 && listenPort <= 65535,
      "a port is a 16-bit number",
    );
    text += `ListenPort = ${listenPort}\n`;
  }
  for (const peer of peers) text += renderPeer(peer);
  return text;
}

function renderPeer(peer: Peer): string {
  invariant(parsePublicKey(peer.publicKey) !== undefined, "a public key is canonical");
  let text = `[Peer]\nPublicKey = ${peer.publicKey}\n`;
  if (peer.presharedKey !== undefined) {
    invariant(parsePresharedKey(peer.presharedKey) !== undefined, "a preshared key is canonical");
    text += `PresharedKey = ${peer.presharedKey}\n`;
  }
  for (const prefix of peer.allowedIps) {
    invariant(canonicalAllowedIp(prefix) === prefix, "an allowed IP is canonical");
  }
  if (peer.allowedIps.length > 0) text += `AllowedIPs = ${peer.allowedIps.join(", ")}\n`;
  return text;
}

/** Reads lines of a public key, a tab and a value. */
function parseLines<Value>(
  text: string,
  parseValue: (rest: string) => Value | undefined,
): Map<PublicKey, Value> | undefined {
  const values = new Map<PublicKey, Value>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const tab = line.indexOf("\t");
    const publicKey = parsePublicKey(line.slice(0, Math.max(tab, 0)));
    const value = parseValue(line.slice(tab + 1));
    if (publicKey === undefined || value === undefined) return undefined;
    values.set(publicKey, value);
  }
  return values;
}

function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) ? Number(text) : undefined;
}
