import { type Group, NOBODYS } from "../entry.ts";
import {
  age,
  count,
  flag,
  givenText,
  id,
  instant,
  members,
  networkAddress,
  ofNobody,
  order,
  publicKey,
  text,
  tunnelAddress,
  wholeMib,
  word,
} from "../fields.ts";
import { memory } from "./memory.ts";

const OF_NODE = "of a node; it grows when devices are added and removed";
const WHILE = "ends with the connection, and is written nowhere";

/** What is held in memory of who is connected and what is used. */
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
