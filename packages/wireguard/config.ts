import { invariant } from "@securewave/foundation";
import { canonicalAllowedIp, canonicalInterfaceAddress, parseAddress } from "./addresses.ts";
import {
  type PresharedKey,
  type PrivateKey,
  type PublicKey,
  parsePresharedKey,
  parsePrivateKey,
  parsePublicKey,
} from "./keys.ts";

export type Endpoint = {
  /** A host name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
};

/** What a device needs to reach a node. */
export type TunnelConfig = {
  readonly privateKey: PrivateKey;
  /** Its tunnel addresses, `10.8.0.2/32`; without a prefix length the address alone is meant. */
  readonly addresses: readonly string[];
  /** Resolvers, and search domains. */
  readonly dns?: readonly string[];
  /** 576 to 65535 bytes. */
  readonly mtu?: number;
  readonly peer: {
    readonly publicKey: PublicKey;
    readonly presharedKey?: PresharedKey;
    readonly allowedIps: readonly string[];
    readonly endpoint: Endpoint;
    /** 1 to 65535; absent means off. */
    readonly persistentKeepaliveSeconds?: number;
  };
};

/** RFC 791 §3.1: what every host must take. */
const MTU_MIN = 576;
const UINT16_MAX = 65535;
/** Longer text is no configuration of one tunnel. */
const CONFIG_CHARACTERS_MAX = 65536;

/**
 * Writes the `.conf` text that wg-quick and the WireGuard apps read.
 *
 * Every field is checked by the parser that reads it back, so that no value can smuggle in a line (wg-quick runs
 * `PostUp` as root).
 *
 * @throws InvariantError when a field does not hold what its type says
 */
export function renderConfig(tunnel: TunnelConfig): string {
  const { peer } = tunnel;
  const lines = [
    "[Interface]",
    `PrivateKey = ${checked(tunnel.privateKey, parsePrivateKey)}`,
    `Address = ${checkedList(tunnel.addresses, canonicalInterfaceAddress)}`,
  ];
  if (tunnel.dns !== undefined) lines.push(`DNS = ${checkedList(tunnel.dns, canonicalDns)}`);
  if (tunnel.mtu !== undefined) lines.push(`MTU = ${checked(String(tunnel.mtu), parseMtu)}`);
  lines.push("", "[Peer]", `PublicKey = ${checked(peer.publicKey, parsePublicKey)}`);
  if (peer.presharedKey !== undefined)
    lines.push(`PresharedKey = ${checked(peer.presharedKey, parsePresharedKey)}`);
  lines.push(`AllowedIPs = ${checkedList(peer.allowedIps, canonicalAllowedIp)}`);
  lines.push(`Endpoint = ${formatEndpoint(checked(formatEndpoint(peer.endpoint), parseEndpoint))}`);
  if (peer.persistentKeepaliveSeconds !== undefined) {
    lines.push(`PersistentKeepalive = ${checked(String(peer.persistentKeepaliveSeconds), parseUint16)}`);
  }
  return `${lines.join("\n")}\n`;
}

type Section = Map<string, string>;
type Sections = { readonly interface: Section; readonly peer: Section };

const LIST_KEYS: ReadonlySet<string> = new Set(["address", "dns", "allowedips"]);
const KEYS: Readonly<Record<keyof Sections, ReadonlySet<string>>> = {
  interface: new Set(["privatekey", "address", "dns", "mtu"]),
  peer: new Set(["publickey", "presharedkey", "allowedips", "endpoint", "persistentkeepalive"]),
};

/**
 * Reads the `.conf` of a tunnel with one peer. Undefined when a field is missing, malformed, given twice, or not one of
 * those that `renderConfig` writes (wg-quick's `PostUp` and its like among them).
 */
export function parseConfig(text: string): TunnelConfig | undefined {
  const sections = parseSections(text);
  if (sections === undefined) return undefined;
  const privateKey = parseField(sections.interface, "privatekey", parsePrivateKey);
  const addresses = parseList(sections.interface, "address", canonicalInterfaceAddress);
  const dns = parseList(sections.interface, "dns", canonicalDns);
  const mtu = parseField(sections.interface, "mtu", parseMtu);
  const peer = parsePeer(sections.peer);
  if (!(privateKey && addresses && peer) || dns === null || mtu === null) return undefined;
  return { privateKey, addresses, ...(dns && { dns }), ...(mtu && { mtu }), peer };
}

function parsePeer(section: Section): TunnelConfig["peer"] | undefined {
  const publicKey = parseField(section, "publickey", parsePublicKey);
  const presharedKey = parseField(section, "presharedkey", parsePresharedKey);
  const allowedIps = parseList(section, "allowedips", canonicalAllowedIp);
  const endpoint = parseField(section, "endpoint", parseEndpoint);
  // "off" and 0 are wg(8)'s two other spellings of an absent line.
  const isOff = ["off", "0"].includes(section.get("persistentkeepalive") ?? "off");
  const keepalive = isOff ? undefined : parseField(section, "persistentkeepalive", parseUint16);
  if (!(publicKey && allowedIps && endpoint) || presharedKey === null || keepalive === null) return undefined;
  return {
    publicKey,
    ...(presharedKey && { presharedKey }),
    allowedIps,
    endpoint,
    ...(keepalive && { persistentKeepaliveSeconds: keepalive }),
  };
}

/** Host and port with an IPv6 address in brackets. */
export function formatEndpoint(endpoint: Endpoint): string {
  return `${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}

/** Reads `host:port`, `1.2.3.4:port` or `[v6]:port`. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d+)$/.exec(text);
  const port = parseUint16(match?.[3] ?? "");
  if (match === null || port === undefined) return undefined;
  const [, ipv6, host] = match;
  if (ipv6 !== undefined) return parseAddress(ipv6)?.family === 6 ? { host: ipv6, port } : undefined;
  return host !== undefined && isHost(host) ? { host, port } : undefined;
}

/** A host name of letters, digits and hyphens (RFC 1123 §2.1), or an IPv4 address. */
function isHost(text: string): boolean {
  if (text.length > 253) return false;
  if (/^[\d.]+$/.test(text)) return parseAddress(text) !== undefined;
  return /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(text);
}

function canonicalDns(text: string): string | undefined {
  return parseAddress(text) !== undefined || isHost(text) ? text : undefined;
}

function parseUint16(text: string): number | undefined {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= UINT16_MAX ? Number(text) : undefined;
}

function parseMtu(text: string): number | undefined {
  const mtu = parseUint16(text);
  return mtu !== undefined && mtu >= MTU_MIN ? mtu : undefined;
}

function checked<Value>(text: string, parse: (text: string) => Value | undefined): Value {
  const value = parse(text);
  invariant(value !== undefined, "each field of a tunnel configuration holds what its type says");
  return value;
}

function checkedList(texts: readonly string[], parse: (text: string) => string | undefined): string {
  invariant(texts.length > 0, "a list in a tunnel configuration has an entry");
  return texts.map((text) => checked(text, parse)).join(", ");
}

/** Splits into key and value, both trimmed, keys in lower case; repeated lines of a list are joined. */
function parseSections(text: string): Sections | undefined {
  if (text.length > CONFIG_CHARACTERS_MAX) return undefined;
  const sections: { interface?: Section; peer?: Section } = {};
  let current: keyof Sections | undefined;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/#.*/, "").trim();
    if (line === "") continue;
    const header = /^\[(interface|peer)\]$/i.exec(line)?.[1]?.toLowerCase();
    if (header === "interface" || header === "peer") {
      if (sections[header] !== undefined) return undefined;
      sections[header] = new Map();
      current = header;
    } else if (current === undefined || !addLine(current, sections[current], line)) {
      return undefined;
    }
  }
  return sections.interface && sections.peer && { interface: sections.interface, peer: sections.peer };
}

function addLine(name: keyof Sections, section: Section | undefined, line: string): boolean {
  const equals = line.indexOf("=");
  const key = line.slice(0, Math.max(equals, 0)).trim().toLowerCase();
  if (section === undefined || !KEYS[name].has(key)) return false;
  const value = line.slice(equals + 1).trim();
  const before = section.get(key);
  if (before !== undefined && !LIST_KEYS.has(key)) return false;
  section.set(key, before === undefined ? value : `${before},${value}`);
  return true;
}

/** Undefined when the field is absent, null when it is malformed. */
function parseField<Value>(
  section: Section,
  key: string,
  parse: (text: string) => Value | undefined,
): Value | undefined | null {
  const text = section.get(key);
  if (text === undefined) return undefined;
  return parse(text) ?? null;
}

function parseList(
  section: Section,
  key: string,
  parse: (text: string) => string | undefined,
): string[] | undefined | null {
  return parseField(section, key, (text) => {
    const values: string[] = [];
    for (const part of text.split(",")) {
      const value = parse(part.trim());
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  });
}
