/**
 * Who gets which of several equally good servers: the one whose hash with the seed is highest.
 *
 * Rendezvous hashing rather than the better of two drawn at random: it shares out as evenly, the same seed gets the same
 * server as long as that is among the best, in every replica and when a request is repeated, and a server that comes or
 * goes moves its own share only.
 *
 * @see Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998
 */

/** FNV-1a over UTF-16 units: 32 bits, signed. */
export function fnv1a(text: string, start = 0x811c9dc5): number {
  let value = start | 0;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value;
}

/** The weight of a server for a seed, by the hashes of both: 32 bits, signed; MurmurHash3's last step mixes them. */
export function weightOf(seedHash: number, hash: number): number {
  let mixed = seedHash ^ hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
