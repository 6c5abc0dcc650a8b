import { type Group, NOBODYS } from "../entry.ts";
import { count, hash, id, instant, pseudonym, text, word } from "../fields.ts";
import { memory } from "./memory.ts";

const FOR_AN_HOUR = "of log-ins to the console, for an hour, and never of a tunnel";

/** What is held in memory to tell attackers from others. */
export const defences: readonly Group[] = [
  memory(
    "rate limits",
    {
      what: "how much an origin, an account or an API key asked",
      lifetime: "twelve tenths of its limit's window: mostly 72 seconds, for letters 72 minutes",
      purpose: "to keep one from using up what is for all",
      basis: "legitimate interest",
      export: { not: "is over before it could be read" },
    },
    { key: pseudonym("whose, under a pseudonym"), count: count("how much") },
  ),
  memory(
    "blocks",
    {
      what: "origins that are let in no more",
      shape: "packages/sentinel/blocklist/block.ts#Block",
      lifetime: "up to a day",
      purpose: "to keep attackers out",
      basis: "legitimate interest",
      export: { not: "is under a pseudonym that nobody can tie to an account" },
    },
    {
      id: id("of the block"),
      kind: word("what is blocked", ["tag", "network"]),
      value: pseudonym("the origin, or a network that staff gave"),
      reason: word("why", ["violations", "failed_log_ins", "staff"]),
      since: instant("from when", "an attack, or an act of staff"),
      until: instant("until when", "an attack, or an act of staff"),
      addedBy: id("which of the staff", { whose: "staff" }),
    },
  ),
  memory(
    "failures",
    {
      what: "failed log-ins of an account or an origin",
      shape: "packages/sentinel/failures/row.ts#Row",
      lifetime: "one hour after the last one; it stands under a keyed hash",
      purpose: "to slow down who guesses",
      basis: "legitimate interest",
      export: { not: "is over before it could be read" },
    },
    {
      failures: count("how many"),
      lockedUntilMs: instant("until when it must wait", FOR_AN_HOUR),
      lastFailedMs: instant("the last one", FOR_AN_HOUR),
      resetMs: instant("when a log-in last succeeded", FOR_AN_HOUR),
      resets: count("how often one did"),
      pending: count("tries under way"),
      pendingUntilMs: instant("until when these count", FOR_AN_HOUR),
    },
  ),
  memory(
    "letter limits",
    {
      what: "how many letters were asked for to one address",
      lifetime: "one hour",
      purpose: "to keep anybody from flooding a mailbox",
      basis: "legitimate interest",
      export: { not: "is over before it could be read" },
    },
    { key: hash("the address, as a keyed hash"), count: count("how many") },
  ),
  memory(
    "day keys",
    {
      what: "the key of today's pseudonyms",
      ...NOBODYS,
      lifetime: "until the end of the next day",
      purpose: "to tell origins apart without knowing them",
    },
    { day: text("which day"), key: hash("the key") },
  ),
];
