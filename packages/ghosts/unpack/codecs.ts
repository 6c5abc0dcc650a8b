/** The compressions for which Node has no decoder. Each gives undefined for what is not whole and right. */

/**
 * PostgreSQL's own: control bytes of eight flags, then literals or pairs of offset and length.
 *
 * @see common/pg_lzcompress.c of PostgreSQL
 */
export function decodePglz(source: Buffer, size: number): Buffer | undefined {
  const out = Buffer.alloc(size);
  let from = 0;
  let to = 0;
  /** @returns whether there was a pair that can be */
  const copyPair = (): boolean => {
    const [first = 0, second] = [source[from], source[from + 1]];
    const distance = ((first & 0xf0) << 4) | (second ?? 0);
    let length = (first & 15) + 3;
    from += 2;
    if (length === 18) length += source[from++] ?? 0;
    if (second === undefined || distance === 0 || distance > to) return false;
    to = copyBack(out, to, distance, Math.min(length, size - to));
    return true;
  };
  for (let flags = 1; from < source.length && to < size; flags >>= 1) {
    // A ninth bit tells when the eight flags of a control byte are used up.
    if (flags === 1) flags = 0x100 | (source[from++] ?? 0);
    if ((flags & 1) === 0) out[to++] = source[from++] ?? 0;
    else if (!copyPair()) return undefined;
  }
  return to === size && from === source.length ? out : undefined;
}

/** @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
export function decodeLz4Block(
  source: Buffer,
  sizeMax: number,
  dictionary: Buffer = Buffer.alloc(0),
): Buffer | undefined {
  const out = Buffer.alloc(dictionary.length + sizeMax);
  dictionary.copy(out);
  let from = 0;
  let to = dictionary.length;
  const lengthAt = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      for (let more = 255; more === 255; length += more) more = source[from++] ?? 0;
    }
    return length;
  };
  while (from < source.length) {
    const token = source[from++] ?? 0;
    const literals = lengthAt(token >> 4);
    if (from + literals > source.length || to + literals > out.length) return undefined;
    source.copy(out, to, from, from + literals);
    from += literals;
    to += literals;
    if (from === source.length) return out.subarray(dictionary.length, to);
    if (from + 2 > source.length) return undefined;
    const distance = source.readUInt16LE(from);
    from += 2;
    const length = lengthAt(token & 15) + 4;
    if (distance === 0 || distance > to || to + length > out.length) return undefined;
    to = copyBack(out, to, distance, length);
  }
  return undefined;
}

/** Redis's: @see lzf_d.c of liblzf */
export function decodeLzf(source: Buffer, size: number): Buffer | undefined {
  const out = Buffer.alloc(size);
  let from = 0;
  let to = 0;
  while (from < source.length) {
    const control = source[from++] ?? 0;
    if (control < 32) {
      const literals = control + 1;
      if (from + literals > source.length || to + literals > size) return undefined;
      source.copy(out, to, from, from + literals);
      from += literals;
      to += literals;
      continue;
    }
    let length = control >> 5;
    if (length === 7) length += source[from++] ?? 0;
    const low = source[from++];
    if (low === undefined) return undefined;
    const distance = ((control & 31) << 8) + low + 1;
    if (distance > to || to + length + 2 > size) return undefined;
    to = copyBack(out, to, distance, length + 2);
  }
  return to === size ? out : undefined;
}

/** Copies from what was written before; the two may overlap, and then what was copied is copied again. */
function copyBack(out: Buffer, to: number, distance: number, length: number): number {
  for (let at = to; at < to + length; at++) out[at] = out[at - distance] ?? 0;
  return to + length;
}
