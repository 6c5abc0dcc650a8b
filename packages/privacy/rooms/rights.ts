import { type Group, NOBODYS } from "../entry.ts";
import { day, flag, givenText, hash, id, sealed, text, word } from "../fields.ts";
import { table } from "../table.ts";

const RIGHT = {
  class: "durable",
  whose: "customer",
  lifetime: "until the account is deleted",
  basis: "legal obligation",
} as const;

/** What people may ask for by law, and what makes deleting final. */
export const rightsTables: readonly Group[] = [
  table("deletions", {
    what: "that you asked to be deleted",
    ...RIGHT,
    lifetime: "until it is done or you take it back",
    purpose: "to give you some days to think again",
    export: { as: "deletion" },
    columns: {
      account_id: id("whose it is"),
      asked_on: day("day on which you asked"),
      due_on: day("day on which it is done"),
    },
  }),
  table("consents", {
    what: "a consent that you gave",
    ...RIGHT,
    purpose: "to show that you gave it, and to which words",
    export: { as: "consents" },
    columns: {
      id: id("the id of the consent"),
      account_id: id("whose it is"),
      purpose: word("what for", ["usage_history"]),
      text_version: text("which words", { whose: "customer", export: { as: "consents" } }),
      given_on: day("day on which you gave it"),
      withdrawn_on: day("day on which you took it back"),
      number: id("a random number, by which what was kept under it has a key of its own"),
    },
  }),
  table("policy_agreements", {
    what: "which version of the privacy policy you agreed to",
    ...RIGHT,
    purpose: "to show that you know it",
    export: { as: "policy_agreements" },
    columns: {
      account_id: id("whose it is"),
      version: text("which version", { whose: "customer", export: { as: "policy_agreements" } }),
      agreed_on: day("day on which you agreed"),
    },
  }),
  table("privacy_requests", {
    what: "what you asked of us about your data",
    ...RIGHT,
    lifetime: "it outlives the account, without naming it",
    purpose: "to answer in time",
    export: { as: "privacy_requests" },
    columns: {
      id: id("the id of the request"),
      account_id: id("whose it is"),
      kind: word("what you asked for", ["export", "deletion", "other"]),
      state: word("how far it is", ["open", "done", "refused"]),
      text_sealed: sealed("your words, encrypted under the account's data key", {
        export: { as: "privacy_requests" },
      }),
      asked_on: day("day on which you asked"),
      due_on: day("day by which it must be answered"),
      closed_on: day("day on which it was"),
    },
  }),
  table("erasures", {
    what: "the number of an account that was deleted",
    class: "durable",
    ...NOBODYS,
    lifetime: "as long as the service runs",
    purpose: "to delete it again when a backup is restored",
    columns: { number: id("a random number, which leads to nobody"), erased_on: day("day of the deletion") },
  }),
  table("data_key", {
    what: "which key file belongs to the store",
    class: "durable",
    ...NOBODYS,
    lifetime: "as long as the service runs",
    purpose: "to seal nothing under a wrong key",
    columns: { id: flag("there is one row"), fingerprint: hash("hash of the key") },
  }),
  table("unsealed", {
    what: "what stood in plain columns before they were encrypted",
    class: "durable",
    whose: "customer",
    lifetime: "until the first start after an update; then the table is empty, and written anew",
    purpose: "to encrypt it",
    basis: "contract",
    export: { not: "is empty while the service runs" },
    columns: {
      place: text("which column"),
      row_id: id("which row"),
      account_id: id("whose it is"),
      value: givenText("the text"),
    },
  }),
];
