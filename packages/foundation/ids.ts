const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's base 32, lower case
const RANDOM_BYTES = 20;

/** Fills bytes with randomness fit for secrets. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

/** The kinds of things that have an id; an id shows its kind: `dev_…`. */
export const ID_PREFIXES = {
  account: "acc",
  session: "ses",
  node: "node",
  device: "dev",
  peer: "peer",
  joinToken: "join",
  job: "job",
  deadLetter: "dead",
  apiKey: "key",
  passkey: "pky",
  block: "blk",
  privacyRequest: "req",
  consent: "con",
  plan: "plan",
  incident: "inc",
  incidentUpdate: "upd",
  maintenance: "mnt",
  breach: "brc",
  notice: "ntc",
  drill: "dri",
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

/**
 * Makes an id of 100 random bits. It holds no time, so that ids cannot tell when a thing was made.
 */
export function createId(kind: IdKind, random: RandomBytes = randomBytes): string {
  const bytes = random(new Uint8Array(RANDOM_BYTES));
  let text = "";
  for (const byte of bytes) text += ALPHABET[byte & 31];
  return `${ID_PREFIXES[kind]}_${text}`;
}

/** The pattern of ids of one kind, for schemas. */
export function idPattern(kind: IdKind): string {
  return `^${ID_PREFIXES[kind]}_[${ALPHABET}]{${RANDOM_BYTES}}$`;
}

const randomBytes: RandomBytes = (bytes) => crypto.getRandomValues(bytes);
