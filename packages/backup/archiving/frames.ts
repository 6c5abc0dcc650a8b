/** PostgreSQL counts microseconds since 2000. */
const EPOCH_2000_MS = Date.UTC(2000, 0, 1);
const DATA_HEAD_BYTES = 25;
const STATUS_BYTES = 34;

/** What the server sends while it streams its log. @see https://www.postgresql.org/docs/current/protocol-replication.html */
export type Frame =
  | {
      readonly kind: "data";
      readonly from: bigint;
      /** To where its log went when it sent this, and when that was, in milliseconds since 1970. */
      readonly serverEnd: bigint;
      readonly at: number;
      readonly data: Buffer;
    }
  | {
      readonly kind: "alive";
      readonly serverEnd: bigint;
      readonly at: number;
      readonly isAnswerWanted: boolean;
    };

/** @returns undefined for a kind that we do not know */
export function readFrame(body: Buffer): Frame | undefined {
  const letter = String.fromCharCode(body[0] ?? 0);
  if (letter === "w") {
    const [from, serverEnd] = [body.readBigUInt64BE(1), body.readBigUInt64BE(9)];
    return { kind: "data", from, serverEnd, at: instantOf(body, 17), data: body.subarray(DATA_HEAD_BYTES) };
  }
  if (letter === "k") {
    return {
      kind: "alive",
      serverEnd: body.readBigUInt64BE(1),
      at: instantOf(body, 9),
      isAnswerWanted: body[17] === 1,
    };
  }
  return undefined;
}

/**
 * What we tell the server; it lets go of what lies before `keptTo`.
 *
 * @param isAnswerWanted whether it is to say at once how far its log goes
 */
export function statusFrame(receivedTo: bigint, keptTo: bigint, isAnswerWanted: boolean): Buffer {
  const bytes = Buffer.alloc(STATUS_BYTES);
  bytes.write("r", 0, "latin1");
  bytes.writeBigUInt64BE(receivedTo, 1);
  bytes.writeBigUInt64BE(keptTo, 9);
  bytes.writeBigUInt64BE(keptTo, 17);
  bytes.writeBigInt64BE(BigInt(Date.now() - EPOCH_2000_MS) * 1000n, 25);
  bytes[33] = isAnswerWanted ? 1 : 0;
  return bytes;
}

function instantOf(body: Buffer, at: number): number {
  return Number(body.readBigInt64BE(at)) / 1000 + EPOCH_2000_MS;
}
