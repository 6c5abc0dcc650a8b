import type { Group } from "../entry.ts";
import { count, type Field, hash, instant, text } from "../fields.ts";

/** Names in Redis begin with `securewave:` and the kind; what follows is a keyed hash. Every one has an expiry. */
export const redisKeys: readonly Group[] = [
  redisKey("rate", "how much an origin, an account or an API key asked", 4_500, {
    name: hash("whose, as a keyed hash"),
    value: count("how much, of each replica"),
  }),
  redisKey("blocks", "origins that are let in no more", 2 * 86_400, {
    name: hash("there are two"),
    value: { what: "blocks, encrypted", precision: "sealed" },
    until: instant("until when", "an attack, or an act of staff"),
  }),
  redisKey("failures", "failed log-ins of an account or an origin", 86_400, {
    name: hash("whose, as a keyed hash"),
    value: count("how many, and until when it is locked"),
  }),
  redisKey("attack", "until when log-ins take a proof of work", 86_400, {
    name: hash("there is one"),
    value: instant("until when", "an attack"),
  }),
  redisKey("day-key", "the key of a day's pseudonyms", 2 * 86_400, {
    name: hash("which day"),
    value: { what: "half of the key, encrypted", precision: "sealed" },
  }),
  redisKey("spent", "a proof of work that was used", 86_400, {
    name: hash("which"),
    value: count("that it was"),
  }),
  redisKey("probe", "whether Redis answers", 60, { name: hash("of which process"), value: count("nothing") }),
];

/** Channels, of which Redis keeps nothing. */
export const redisChannels: readonly Group[] = [
  redisKey("topic", "what replicas tell each other", 0, {
    value: { what: "the message, encrypted", precision: "sealed" },
  }),
  redisKey("beat", "whether Redis hears", 0, { value: text("nothing") }),
];

function redisKey(
  kind: string,
  what: string,
  lifeSeconds: number,
  fields: Readonly<Record<string, Field>>,
): Group {
  return {
    room: "redis",
    name: kind,
    what,
    class: "live",
    whose: "customer",
    lifetime: lifeSeconds === 0 ? "none: it is passed on" : `at most ${inWords(lifeSeconds)}`,
    purpose: "to have all replicas hold to the same limits",
    basis: "legitimate interest",
    export: { not: "is under a pseudonym that nobody can tie to an account, and over within a day" },
    fields,
    lifeSeconds,
  };
}

function inWords(seconds: number): string {
  const [unit, length] =
    seconds > 172_800 ? ["days", 86_400] : seconds > 7200 ? ["hours", 3600] : ["minutes", 60];
  return `${Math.ceil(seconds / Number(length))} ${unit}`;
}
