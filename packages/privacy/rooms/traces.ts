import { type Group, NOBODYS } from "../entry.ts";
import { type Field, id, instant, text, word } from "../fields.ts";
import { METHODS } from "./metrics.ts";

const OF_A_REQUEST = "of a request or a query that names nobody; event streams make no span";

/** What OTLP gives every span, beside its attributes. */
const frame: Readonly<Record<string, Field>> = {
  trace_id: id("random, of a request"),
  span_id: id("random"),
  start_time: instant("when it began", OF_A_REQUEST),
  end_time: instant("when it ended", OF_A_REQUEST),
};

/** Attributes of a span, and of what sends it. */
export const spanAttributes: Readonly<Record<string, Field>> = {
  "http.request.method": word("method of the request", METHODS),
  "http.route": word("pattern of the route", []),
  "http.response.status_code": word("status of the answer", []),
  "error.type": word("that it failed: a status from 500 on, or `_OTHER`", []),
  "db.operation.name": word("kind of the query", [
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "raw",
    "_OTHER",
  ]),
  "db.collection.name": word("its first table", []),
};

export const resourceAttributes: Readonly<Record<string, Field>> = {
  "service.name": word("who sends it", ["securewave"]),
  "service.version": text("its version"),
};

export const traces: readonly Group[] = [
  {
    room: "trace",
    name: "span",
    what: "a trace of a request and its queries, where the operator asked for traces",
    class: "transport",
    ...NOBODYS,
    lifetime: "seconds, until the collector that you name takes it",
    purpose: "to find what is slow",
    fields: { ...frame, ...spanAttributes, ...resourceAttributes },
  },
];
