/** @see https://www.wireguard.com/xplatform/#configuration-protocol */
import { KEY_BYTES, type PresharedKey, type PublicKey, parsePresharedKey, parsePublicKey } from "./keys.ts";

export type UapiPeer = {
  readonly publicKey: PublicKey;
  readonly presharedKey?: PresharedKey;
  readonly allowedIps: readonly string[];
  /** Whether there is an endpoint. Which one is not read. */
  readonly hasEndpoint: boolean;
  readonly rxBytes: number;
  readonly txBytes: number;
  /** Since 1970; both 0 when there has been no complete handshake. */
  readonly lastHandshake: { readonly seconds: number; readonly nanoseconds: number };
  readonly persistentKeepaliveSeconds: number;
};

export type UapiState = {
  /** 0, or the number from errno.h for which the request failed. */
  readonly errno: number;
  readonly listenPort: number;
  readonly peers: readonly UapiPeer[];
};

type MutablePeer = {
  -readonly [Field in keyof UapiPeer]: UapiPeer[Field];
} & { allowedIps: string[]; lastHandshake: { seconds: number; nanoseconds: number } };
/** A place in an answer. A reader takes it from the first byte of a value to the line break behind. */
type Cursor = { readonly answer: Buffer; at: number };
type MutableState = { errno: number; listenPort: number; peers: MutablePeer[] };

const NEWLINE = 0x0a;
const EQUALS = 0x3d;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const LETTER_A = 0x61;

/**
 * Reads the answer to a request; undefined when it is malformed or incomplete.
 *
 * The values of `endpoint=` and `private_key=` are stepped over as bytes: neither an address nor the node's key becomes a
 * string, which the heap would keep until it is collected.
 */
export function parseUapiState(answer: Buffer): UapiState | undefined {
  const state: MutableState = { errno: -1, listenPort: 0, peers: [] };
  const cursor: Cursor = { answer, at: 0 };
  while (cursor.at < answer.length && answer[cursor.at] !== NEWLINE) {
    const start = cursor.at;
    let equals = start;
    while (equals < answer.length && answer[equals] !== EQUALS && answer[equals] !== NEWLINE) equals++;
    cursor.at = equals + 1;
    if (answer[equals] !== EQUALS || !readLine(fieldAt(answer, start, equals), cursor, state))
      return undefined;
    if (answer[cursor.at] !== NEWLINE) return undefined;
    cursor.at++;
  }
  return state.errno === -1 || answer[cursor.at] !== NEWLINE ? undefined : state;
}

/** The fields that are known; `endpoint` has as many letters as `rx_bytes`, so length alone does not tell. */
const FIELDS = [
  "errno",
  "listen_port",
  "public_key",
  "preshared_key",
  "allowed_ip",
  "endpoint",
  "rx_bytes",
  "tx_bytes",
  "last_handshake_time_sec",
  "last_handshake_time_nsec",
  "persistent_keepalive_interval",
] as const;
type Field = (typeof FIELDS)[number];

const FIELDS_BY_LENGTH: { readonly name: Field; readonly bytes: Buffer }[][] = [];
for (const name of FIELDS) {
  FIELDS_BY_LENGTH[name.length] ??= [];
  FIELDS_BY_LENGTH[name.length]?.push({ name, bytes: Buffer.from(name, "latin1") });
}

function fieldAt(answer: Buffer, start: number, end: number): Field | undefined {
  for (const { name, bytes } of FIELDS_BY_LENGTH[end - start] ?? []) {
    if (startsWith(answer, start, bytes)) return name;
  }
  return undefined;
}

function startsWith(answer: Buffer, start: number, bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if (answer[start + index] !== bytes[index]) return false;
  }
  return true;
}

/** False when the value is malformed. Unknown fields are stepped over. */
function readLine(field: Field | undefined, cursor: Cursor, state: MutableState): boolean {
  switch (field) {
    case undefined:
      return skipValue(cursor);
    case "errno":
      state.errno = readNumber(cursor);
      return state.errno >= 0;
    case "listen_port":
      state.listenPort = readNumber(cursor);
      return state.listenPort >= 0;
    case "public_key":
      return addPeer(state.peers, parsePublicKey(readKey(cursor)));
    default: {
      const peer = state.peers.at(-1);
      return peer !== undefined && readPeerLine(field, cursor, peer);
    }
  }
}

function skipValue(cursor: Cursor): boolean {
  const end = cursor.answer.indexOf(NEWLINE, cursor.at);
  cursor.at = end === -1 ? cursor.answer.length : end;
  return end !== -1;
}

function addPeer(peers: MutablePeer[], publicKey: PublicKey | undefined): boolean {
  if (publicKey === undefined) return false;
  const lastHandshake = { seconds: 0, nanoseconds: 0 };
  peers.push({
    publicKey,
    allowedIps: [],
    hasEndpoint: false,
    rxBytes: 0,
    txBytes: 0,
    lastHandshake,
    persistentKeepaliveSeconds: 0,
  });
  return true;
}

function readPeerLine(
  field: Exclude<Field, "errno" | "listen_port" | "public_key">,
  cursor: Cursor,
  peer: MutablePeer,
): boolean {
  if (field === "allowed_ip") {
    const start = cursor.at;
    skipValue(cursor);
    peer.allowedIps.push(cursor.answer.toString("latin1", start, cursor.at));
    return true;
  }
  if (field === "endpoint") {
    peer.hasEndpoint = true;
    return skipValue(cursor);
  }
  if (field === "preshared_key") {
    const text = readKey(cursor);
    // All zeros stand for none, and are what parsePresharedKey refuses.
    const presharedKey = parsePresharedKey(text);
    if (presharedKey !== undefined) peer.presharedKey = presharedKey;
    return text !== "";
  }
  const value = readNumber(cursor);
  switch (field) {
    case "rx_bytes":
      peer.rxBytes = value;
      break;
    case "tx_bytes":
      peer.txBytes = value;
      break;
    case "last_handshake_time_sec":
      peer.lastHandshake.seconds = value;
      break;
    case "last_handshake_time_nsec":
      peer.lastHandshake.nanoseconds = value;
      break;
    case "persistent_keepalive_interval":
      peer.persistentKeepaliveSeconds = value;
      break;
  }
  return value >= 0;
}

const keyBytes = Buffer.alloc(KEY_BYTES);

/** A key's hex as base64; empty when it is none. */
function readKey(cursor: Cursor): string {
  const { answer, at } = cursor;
  for (let index = 0; index < KEY_BYTES; index++) {
    const high = hexDigit(answer[at + 2 * index] ?? 0);
    const low = hexDigit(answer[at + 2 * index + 1] ?? 0);
    if (high < 0 || low < 0) return "";
    keyBytes[index] = high * 16 + low;
  }
  cursor.at = at + 2 * KEY_BYTES;
  const key = keyBytes.toString("base64");
  keyBytes.fill(0);
  return key;
}

/** The value of a lower-case hexadecimal digit's character code, or -1. */
function hexDigit(code: number): number {
  if (code >= DIGIT_0 && code <= DIGIT_0 + 9) return code - DIGIT_0;
  return code >= LETTER_A && code <= LETTER_A + 5 ? code - LETTER_A + 10 : -1;
}

/** A decimal number, or -1. The sign is dropped: wireguard-go sends its error numbers below zero. */
function readNumber(cursor: Cursor): number {
  const { answer } = cursor;
  if (answer[cursor.at] === MINUS) cursor.at++;
  const start = cursor.at;
  let at = start;
  let value = 0;
  for (; ; at++) {
    const digit = (answer[at] ?? 0) - DIGIT_0;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  cursor.at = at;
  return at === start ? -1 : value;
}
