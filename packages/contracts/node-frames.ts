/**
 * The binary frames of the node protocol, in little endian:
 *
 *   0  u8   format
 *   1  u8   kind: 1 a report, 2 a batch, 3 health (below)
 *   2  u16  0
 *   4  u32  number of the roster whose slots these are
 *   8  u32  sequence of the report on its connection, or number of the batch
 *  12  u32  slots, n
 *  16  f64 × n   bytes received of each slot since the incarnation began
 *      f64 × n   bytes sent
 *      u8 × n    reports only: seconds since the handshake, `AGE_NONE` for none within 180 s
 *
 * Health has the first four bytes alike, and then
 *
 *   4  u16  processor in use, in thousandths of all of it
 *   6  u16  memory in use, in thousandths
 *   8  f64  bits per second that the tunnel interface received since the frame before
 *  16  f64  bits per second that it sent
 *  24  u32  packets that it dropped or had errors with since the frame before
 *  28  u32  0
 */

const FORMAT = 1;
const HEADER_BYTES = 16;
const KINDS = { report: 1, batch: 2 } as const;
const KIND_HEALTH = 3;
const HEALTH_BYTES = 32;
const MIB = 1024 * 1024;

/** Stands for no live handshake. */
export const AGE_NONE = 255;
/** WireGuard §6.1, REJECT_AFTER_TIME: a session without a handshake for this long is dead. */
export const SESSION_SECONDS_MAX = 180;

/** Totals of an incarnation, by slot. */
export interface Totals {
  readonly received: Float64Array;
  readonly sent: Float64Array;
}

export interface ReportFrame extends Totals {
  readonly kind: "report";
  readonly roster: number;
  readonly sequence: number;
  readonly ages: Uint8Array;
}

export interface BatchFrame extends Totals {
  readonly kind: "batch";
  readonly roster: number;
  readonly batch: number;
}

export type FiguresFrame = ReportFrame | BatchFrame;

/** How a node's machine is at this moment; of all that it carries together. */
export interface HealthFrame {
  /** 0…1 */
  readonly processor: number;
  /** 0…1 */
  readonly memory: number;
  readonly receivedBitsPerSecond: number;
  readonly sentBitsPerSecond: number;
  /** Packets dropped or with errors, since the frame before. */
  readonly troubles: number;
}

export function encodeHealth(health: HealthFrame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEALTH_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, FORMAT);
  view.setUint8(1, KIND_HEALTH);
  view.setUint16(4, thousandths(health.processor), true);
  view.setUint16(6, thousandths(health.memory), true);
  view.setFloat64(8, health.receivedBitsPerSecond, true);
  view.setFloat64(16, health.sentBitsPerSecond, true);
  view.setUint32(24, Math.min(health.troubles, 2 ** 32 - 1), true);
  return bytes;
}

/** @returns undefined when it is no such frame, or one of figures that cannot be */
export function decodeHealth(bytes: Uint8Array): HealthFrame | undefined {
  if (bytes.length !== HEALTH_BYTES || bytes[0] !== FORMAT || bytes[1] !== KIND_HEALTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEALTH_BYTES);
  const shares = [view.getUint16(4, true), view.getUint16(6, true)];
  const rates = [view.getFloat64(8, true), view.getFloat64(16, true)];
  if (view.getUint16(2, true) !== 0 || view.getUint32(28, true) !== 0) return undefined;
  if (shares.some((share) => share > 1000)) return undefined;
  if (rates.some((rate) => !Number.isFinite(rate) || rate < 0)) return undefined;
  const [processor = 0, memory = 0] = shares.map((share) => share / 1000);
  const [receivedBitsPerSecond = 0, sentBitsPerSecond = 0] = rates;
  return {
    processor,
    memory,
    receivedBitsPerSecond,
    sentBitsPerSecond,
    troubles: view.getUint32(24, true),
  };
}

function thousandths(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1000);
}

/**
 * How much of the bytes that are not settled yet a batch settles: whole MiB. The rest counts next time, so that the
 * ledger holds round numbers and nothing is lost. Agent and control plane must agree to the byte.
 */
export function settleable(unsettledBytes: number): number {
  return Math.max(0, Math.floor(unsettledBytes / MIB) * MIB);
}

export function figuresBytes(kind: FiguresFrame["kind"], slots: number): number {
  return HEADER_BYTES + slots * (kind === "report" ? 17 : 16);
}

/** @throws RangeError when the arrays are not of one length */
export function encodeFigures(frame: FiguresFrame): Uint8Array<ArrayBuffer> {
  demandLittleEndian();
  const { kind, roster, received, sent } = frame;
  const slots = received.length;
  const bytes = new Uint8Array(figuresBytes(kind, slots));
  const header = new DataView(bytes.buffer);
  header.setUint8(0, FORMAT);
  header.setUint8(1, KINDS[kind]);
  header.setUint32(4, roster, true);
  header.setUint32(8, kind === "report" ? frame.sequence : frame.batch, true);
  header.setUint32(12, slots, true);
  if (sent.length !== slots || (kind === "report" && frame.ages.length !== slots)) {
    throw new RangeError("figures are of one length");
  }
  new Float64Array(bytes.buffer, HEADER_BYTES, slots).set(received);
  new Float64Array(bytes.buffer, HEADER_BYTES + 8 * slots, slots).set(sent);
  if (kind === "report") bytes.set(frame.ages, HEADER_BYTES + 16 * slots);
  return bytes;
}

/** @returns undefined when it is no such frame, of exactly the length that it states; figures may be any number or none */
export function decodeFigures(bytes: Uint8Array): FiguresFrame | undefined {
  demandLittleEndian();
  if (bytes.length < HEADER_BYTES) return undefined;
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const slots = header.getUint32(12, true);
  const kind = header.getUint8(1) === KINDS.report ? "report" : "batch";
  if (header.getUint8(0) !== FORMAT || header.getUint8(1) !== KINDS[kind]) return undefined;
  if (header.getUint16(2, true) !== 0 || bytes.length !== figuresBytes(kind, slots)) return undefined;
  // Arrays of numbers must begin at a multiple of their size.
  const { buffer, byteOffset } = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const roster = header.getUint32(4, true);
  const number = header.getUint32(8, true);
  const received = new Float64Array(buffer, byteOffset + HEADER_BYTES, slots);
  const sent = new Float64Array(buffer, byteOffset + HEADER_BYTES + 8 * slots, slots);
  if (kind === "batch") return { kind, roster, batch: number, received, sent };
  const ages = new Uint8Array(buffer, byteOffset + HEADER_BYTES + 16 * slots, slots);
  return { kind, roster, sequence: number, received, sent, ages };
}

/** What was settled, for a roster: base64, so that its length tells nothing of the figures. */
export function encodeSettled({ received, sent }: Totals): string {
  demandLittleEndian();
  const slots = received.length;
  const figures = new Float64Array(2 * slots);
  figures.set(received);
  figures.set(sent, slots);
  const bytes = new Uint8Array(figures.buffer);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 8190) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 8190)))); // a multiple of 3: no padding within
  }
  return parts.join("");
}

/** @returns undefined when it is not what `encodeSettled` makes of so many slots */
export function decodeSettled(text: string, slots: number): Totals | undefined {
  demandLittleEndian();
  if (text.length !== 4 * Math.ceil((16 * slots) / 3)) return undefined;
  const bytes = new Uint8Array(16 * slots);
  let decoded: string;
  try {
    decoded = atob(text);
  } catch {
    return undefined;
  }
  if (decoded.length !== bytes.length) return undefined;
  for (let at = 0; at < bytes.length; at++) bytes[at] = decoded.charCodeAt(at);
  const received = new Float64Array(bytes.buffer, 0, slots);
  const sent = new Float64Array(bytes.buffer, 8 * slots, slots);
  return { received, sent };
}

function demandLittleEndian(): void {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) {
    throw new TypeError("this machine is not little endian, and the node protocol's figures are");
  }
}
