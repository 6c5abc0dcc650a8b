/** Reads a position in PostgreSQL's log, such as `0/3000148`. */
export function parseLsn(text: string): bigint {
  const [high = "", low = ""] = text.split("/");
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase();
}

/** The name of a segment's file: timeline, then its number in two halves. */
export function segmentName(timeline: number, lsn: bigint, segmentBytes: number): string {
  const number = lsn / BigInt(segmentBytes);
  const perHigh = 0x100000000n / BigInt(segmentBytes);
  const parts = [BigInt(timeline), number / perHigh, number % perHigh];
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, "0")).join("");
}

/** @returns where the segment behind the one of a position begins */
export function nextSegment(lsn: bigint, segmentBytes: number): bigint {
  const bytes = BigInt(segmentBytes);
  return (lsn / bytes + 1n) * bytes;
}
