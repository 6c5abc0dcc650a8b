/** @see https://www.wireguard.com/xplatform/#configuration-protocol */
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

export type UapiPeerChange = {
  readonly publicKey: PublicKey;
  /** Takes the peer away; nothing else of the change is then sent. */
  readonly remove?: boolean;
  /** Leaves a peer alone that is not there. */
  readonly updateOnly?: boolean;
  /** Null takes the preshared key away. */
  readonly presharedKey?: PresharedKey | null;
  /** Forgets the peer's allowed IPs before adding those given. */
  readonly replaceAllowedIps?: boolean;
  readonly allowedIps?: readonly string[];
  /** 0 turns it off. */
  readonly persistentKeepaliveSeconds?: number;
};

export type UapiChange = {
  readonly privateKey?: PrivateKey;
  readonly listenPort?: number;
  /** Takes all peers away before those given are added. */
  readonly replacePeers?: boolean;
  readonly peers?: readonly UapiPeerChange[];
};

/**
 * Writes a `set=1` request.
 *
 * @throws InvariantError when a field does not hold what its type says
 */
export function renderUapiSet(change: UapiChange): string {
  let text = "set=1\n";
  if (change.privateKey !== undefined) {
    invariant(parsePrivateKey(change.privateKey) === change.privateKey, "a private key is canonical");
    text += `private_key=${hexOf(change.privateKey)}\n`;
  }
  if (change.listenPort !== undefined) text += `listen_port=${uint16(change.listenPort)}\n`;
  if (change.replacePeers) text += "replace_peers=true\n";
  for (const peer of change.peers ?? []) text += renderPeerChange(peer);
  return `${text}\n`;
}

function renderPeerChange(change: UapiPeerChange): string {
  invariant(parsePublicKey(change.publicKey) !== undefined, "a public key is canonical");
  let text = `public_key=${hexOf(change.publicKey)}\n`;
  if (change.remove) return `${text}remove=true\n`;
  if (change.updateOnly) text += "update_only=true\n";
  if (change.presharedKey !== undefined) text += `preshared_key=${presharedHex(change.presharedKey)}\n`;
  if (change.replaceAllowedIps) text += "replace_allowed_ips=true\n";
  for (const prefix of change.allowedIps ?? []) {
    invariant(canonicalAllowedIp(prefix) === prefix, "an allowed IP is canonical");
    text += `allowed_ip=${prefix}\n`;
  }
  if (change.persistentKeepaliveSeconds !== undefined) {
    text += `persistent_keepalive_interval=${uint16(change.persistentKeepaliveSeconds)}\n`;
  }
  return text;
}

const NO_PRESHARED_KEY_HEX = "0".repeat(64);

function presharedHex(key: PresharedKey | null): string {
  if (key === null) return NO_PRESHARED_KEY_HEX;
  invariant(parsePresharedKey(key) !== undefined, "a preshared key is canonical");
  return hexOf(key);
}

function hexOf(key: string): string {
  return Buffer.from(key, "base64").toString("hex");
}

function uint16(value: number): number {
  invariant(Number.isInteger(value) && value >= 0 && value <= 65535, "a setting is a 16-bit number");
  return value;
}
