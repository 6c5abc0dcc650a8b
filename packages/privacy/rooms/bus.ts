import type { Group } from "../entry.ts";
import { type Field, hash, id, ofNobody, word } from "../fields.ts";

/** What processes tell each other over PostgreSQL's NOTIFY: acts of people and of nodes, never anything of a tunnel. */
export const busTopics: readonly Group[] = [
  topic("node-changed", "a node's state changed", { payload: id("which node", ofNobody) }),
  topic("node-connected", "a node's agent connected", {
    payload: id("which node, and a random id of its connection", ofNobody),
  }),
  topic("node-displaced", "a node's agent connected while another one had its place and was still there", {
    payload: id("which node", ofNobody),
  }),
  topic("sessions-changed", "log-ins must be looked at again", {
    payload: id("of whom: account, log-in or API key, or `all`"),
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
