import { type Group, NOBODYS } from "../entry.ts";
import { count, day, flag, id, instant, order, text, word } from "../fields.ts";
import { table } from "../table.ts";

const STAFFS = "it tells when staff did something, and nothing of a customer";
const RUNS = { class: "durable", ...NOBODYS, lifetime: "as long as the service runs" } as const;

/** Breaches with what was done about them, letters to many at once, and what drills measured. */
export const breachTables: readonly Group[] = [
  table("breaches", {
    what: "that somebody got in, or may have",
    ...RUNS,
    purpose: "to close the gap, and to show what was done about it and when",
    columns: {
      id: id("the id of the breach"),
      summary: text("what is known of it, in the words of staff"),
      opened_at: instant("when staff began to act", STAFFS),
      closed_at: instant("when they were done", STAFFS),
    },
  }),
  table("breach_entries", {
    what: "one act of staff in a breach",
    ...RUNS,
    purpose: "to close the gap, and to show what was done about it and when",
    columns: {
      breach_id: id("which breach"),
      number: count("which act, from 1"),
      at: instant("when", STAFFS),
      kind: word("what was done", [
        "opened",
        "isolated",
        "rotated",
        "noted",
        "notified",
        "reopened",
        "closed",
      ]),
      detail: text("the same in words"),
    },
  }),
  table("notices", {
    what: "a letter to many at once",
    ...RUNS,
    purpose: "to tell customers what they must know, each once",
    columns: {
      id: id("the id of the notice"),
      number: order("which came before which", "the order of what staff wrote to all"),
      subject: text("its subject"),
      text: text("what it says, in the words of staff"),
      node_id: id("who has a device there is written to; nothing: everybody"),
      asked_on: day("day on which staff asked for it"),
      letters: count("how many letters were put into the queue"),
      reached: id("the last account that was looked at, in the order of random ids"),
      is_complete: flag("whether all were looked at"),
    },
  }),
  table("drill_reports", {
    what: "what a drill of the operators measured",
    ...RUNS,
    lifetime: "until 500 newer ones are there",
    purpose: "to know how fast the service comes back, and with how much",
    columns: {
      number: count("number of the report"),
      id: id("the id of the report"),
      scenario: text("what was drilled"),
      outcome: word("whether the targets were met", ["met", "missed", "failed"]),
      carried_out_on: day("day of the drill"),
      rto_seconds: count("how long it took"),
      rpo_seconds: count("of how many seconds the writes were lost"),
      note: text("the signed report; what it wrote was made up"),
    },
  }),
];
