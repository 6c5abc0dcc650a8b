import { type About, type Group, NOBODYS } from "../entry.ts";
import {
  age,
  count,
  type Field,
  flag,
  givenText,
  hash,
  id,
  instant,
  members,
  networkAddress,
  ofNobody,
  order,
  pseudonym,
  publicKey,
  text,
  tunnelAddress,
  wholeMib,
  word,
} from "../fields.ts";

const LIVE = {
  class: "live",
  whose: "customer",
  basis: "contract",
} as const satisfies Partial<About>;

type MemoryAbout = Omit<About, "class" | "basis" | "whose"> & Partial<About> & Pick<Group, "shape">;

function memory(name: string, about: MemoryAbout, fields: Readonly<Record<string, Field>>): Group {
  return { room: "memory", name, ...LIVE, ...about, fields };
}

const OF_NODE = "of a node; it grows when devices are added and removed";
const FOR_AN_HOUR = "of log-ins to the console, for an hour, and never of a tunnel";
const WHILE = "ends with the connection, and is written nowhere";

/** What processes of the control plane hold in memory of people. */
export const memories: readonly Group[] = [
  memory(
    "figures",
    {
      what: "that a device is connected, and how much went through its tunnel",
      shape: "packages/live/figures.ts#Figures",
      lifetime:
        "that it is connected: at most 180 s after its last handshake; how much: until the day's rewriting of the ledger",
      purpose: "to show you what is connected, and to hold you to your plan",
      export: { as: "devices" },
    },
    {
      nodeId: id("the server"),
      incarnation: id("random, of the server's counting", ofNobody),
      number: order("number of the roster", OF_NODE, ofNobody),
      batch: order("last batch that was settled", "one a day, by the clock", ofNobody),
      keys: publicKey("devices' keys"),
      owners: id("whose each is"),
      received: count("bytes received"),
      sent: count("bytes sent"),
      settledReceived: count("how much of that is in the ledger"),
      settledSent: count("likewise"),
      beforeReceived: count("received before this session"),
      beforeSent: count("sent before this session"),
      ages: age("seconds since the last handshake"),
      touched: flag("whether it was connected lately"),
      connected: count("how many are"),
      isCounted: flag("whether the server is believed", ofNobody),
      hasReport: flag("whether it reported", ofNobody),
      reportedAtMs: instant("when it last did", "every five seconds, whatever happens", ofNobody),
      steadyAtMs: instant("likewise", "every five seconds, whatever happens", ofNobody),
      spareBytes: count("how much its line could have carried", ofNobody),
      frozen: members("the totals of a batch that is being settled"),
    },
  ),
  memory(
    "usage",
    {
      what: "how much of this month's quota you used",
      lifetime: "until the month ends",
      purpose: "to hold you to your plan",
      export: { as: "usage" },
    },
    { id: id("whose it is"), used: wholeMib("how much"), told: count("at how many percent you were told") },
  ),
  memory(
    "connection limits",
    {
      what: "which of your devices are connected, and which are kept away beyond your plan's limit",
      shape: "apps/control-plane/modules/usage/connection-limit.ts#Slots",
      lifetime: "until they disconnect; kept away for a minute",
      purpose: "to hold you to your plan",
      export: { as: "devices" },
    },
    {
      admitted: publicKey("connected devices, in the order in which they came"),
      withheld: instant("those kept away, and until when", WHILE),
    },
  ),
  memory(
    "over quota",
    {
      what: "that you are over this month's quota",
      lifetime: "until the month ends or you get a bigger plan",
      purpose: "to hold you to your plan",
      export: { as: "usage" },
    },
    { account: id("whose it is"), restriction: word("what that means", ["throttled", "blocked"]) },
  ),
  memory(
    "usage letters",
    {
      what: "letters about your quota that the mail server has not taken yet",
      lifetime: "until it takes them, for five hours at most",
      purpose: "to tell you how much of your plan is left",
      export: { not: "is in your mailbox" },
    },
    { letter: givenText("the letter, with your mail address") },
  ),
  memory(
    "scrubber",
    {
      what: "what a server must still forget of a device",
      shape: "apps/node-agent/scrubber.ts#Watch",
      lifetime: "until it is forgotten: 180 s after the last handshake",
      purpose: "to forget it in time",
      export: { not: "is over before it could be read" },
    },
    {
      handshakeSeconds: instant("last handshake", WHILE),
      sinceMs: instant("from when on it counts", WHILE),
      receivedBytes: count("received, to see a new session"),
      peer: members("the device's key and its addresses in the tunnel"),
    },
  ),
  memory(
    "presence",
    {
      what: "which nodes are connected",
      ...NOBODYS,
      shape: "packages/live/presence.ts#NodePresence",
      lifetime: "until they disconnect",
      purpose: "to place devices",
    },
    {
      appliedRevision: order("what state it holds", OF_NODE),
      agentVersion: text("of its agent"),
      problem: text("why it cannot serve"),
    },
  ),
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
  memory(
    "log-in holders",
    {
      what: "log-ins that were looked up",
      shape: "apps/control-plane/modules/sessions/holder-cache.ts#Holder",
      lifetime: "one minute",
      purpose: "to ask the store less often",
      export: { as: "sessions" },
    },
    { accountId: id("whose"), role: word("what it may do", ["customer", "support", "admin"]) },
  ),
  {
    room: "memory",
    name: "wireguard",
    what: "what WireGuard itself must know of a device while it is connected",
    class: "kernel memory",
    whose: "customer",
    lifetime: "until 180 s after the last handshake, when the node's scrubber resets it",
    purpose: "to carry your packets",
    basis: "contract",
    export: { not: "is over before it could be read, and no program of ours reads the address" },
    fields: {
      public_key: publicKey("the device's key"),
      endpoint: networkAddress("where its packets come from"),
      handshake_at: instant("last handshake", WHILE),
      received_bytes: count("received"),
      sent_bytes: count("sent"),
    },
  },
  {
    room: "memory",
    name: "connection tracking",
    what: "flows of a tunnel that the kernel must know to answer them",
    class: "kernel memory",
    whose: "customer",
    lifetime: "until the device's scrub; the outer address is not tracked",
    purpose: "to carry your packets",
    basis: "contract",
    export: { not: "is over before it could be read, and no program of ours reads it" },
    fields: {
      source: tunnelAddress("the device's address in the tunnel"),
      destination: networkAddress("with whom it talks"),
    },
  },
  memory(
    "requests under way",
    {
      what: "a request while it is answered",
      lifetime: "until it is answered",
      purpose: "to answer it",
      export: { not: "is over before it could be read" },
    },
    {
      address: networkAddress("the caller's network address: of the connection, as any server has it"),
      content: members("what was asked for"),
    },
  ),
];

/** What processes tell each other over PostgreSQL's NOTIFY: acts of people, never anything of a tunnel. */
export const busTopics: readonly Group[] = [
  topic("node-changed", "a node's state changed", { payload: id("which node", ofNobody) }),
  topic("sessions-changed", "log-ins must be looked at again", {
    payload: id("of whom: account, log-in or API key"),
  }),
  topic("refresh-rotated", "a log-in was renewed", { payload: hash("hash of its token") }),
  topic("plans-changed", "an account has another plan, or the plans were changed", {
    payload: id("of whom, or `all`"),
  }),
  topic("keys-changed", "keys were rotated", { payload: word("which", ["", "signing", "encryption"]) }),
  topic("ledger-rewritten", "the usage ledger was written anew", { payload: word("nothing", [""]) }),
  topic("keys-erased", "data keys of accounts were destroyed", { payload: word("nothing", [""]) }),
  topic("registry-changed", "nodes or settings were changed", {
    payload: word("which", ["nodes", "settings"]),
  }),
];

function topic(name: string, what: string, fields: Readonly<Record<string, Field>>): Group {
  return {
    room: "bus",
    name,
    what,
    class: "transport",
    whose: "customer",
    lifetime: "until every process has heard it; PostgreSQL holds it in files that no backup has",
    purpose: "to have all processes know at once",
    basis: "contract",
    export: { not: "is over before it could be read" },
    fields,
  };
}

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
