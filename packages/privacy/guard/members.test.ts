import { api, listRoutes } from "@securewave/contracts";
import { AUDIT_DETAILS } from "@securewave/contracts/audit";
import { AgentFrame, PlaneFrame } from "@securewave/contracts/node-protocol";
import { Type } from "typebox";
import { expect, test } from "vitest";
import { catalogue } from "../catalogue.ts";
import { describeFinding } from "../finding.ts";
import { findInMessages, membersOf } from "./members.ts";

/** Schemas of frames by their word in `type`. */
function framesOf(...unions: readonly { readonly anyOf: readonly unknown[] }[]): Map<string, unknown> {
  return new Map(
    unions.flatMap(({ anyOf }) => anyOf).map((schema) => [membersOf(schema).get("type")?.[0] ?? "?", schema]),
  );
}

const frames = framesOf(AgentFrame, PlaneFrame);
const audit = new Map<string, unknown>(Object.entries(AUDIT_DETAILS));
const streams = new Map<string, unknown>(
  listRoutes(api)
    .filter(({ route }) => route.success.contentType === "text/event-stream")
    .map(({ name, route }) => [name, route.success.schema]),
);
/** Binary frames have no schema. */
const isMeant = ({ name }: { name: string }) => name !== "every entry" && !name.startsWith("[");

test("all that nodes and the control plane say to each other is in the catalogue", () => {
  expect(findInMessages("node protocol", frames, catalogue, isMeant).map(describeFinding)).toEqual([]);
});

test("so is every kind of entry of the audit trail, with its details and their words", () => {
  expect(findInMessages("audit", audit, catalogue, isMeant).map(describeFinding)).toEqual([]);
});

test("so is every event stream", () => {
  expect(streams.size).toBeGreaterThan(0);
  expect(findInMessages("event stream", streams, catalogue).map(describeFinding)).toEqual([]);
});

/** What is found of one more message, or of one that was changed. */
function findNew(
  room: "audit" | "node protocol",
  schemas: ReadonlyMap<string, unknown>,
  name: string,
  schema: unknown,
) {
  const find = (all: ReadonlyMap<string, unknown>) =>
    findInMessages(room, all, catalogue, isMeant).map(({ rule, place }) => `${place}: ${rule}`);
  const before = find(schemas);
  return find(new Map([...schemas, [name, schema]])).filter((finding) => !before.includes(finding));
}

const object = Type.Object;
test.each([
  ["a new frame", "seen", object({ type: Type.Literal("seen") }), "seen: listed: node protocol"],
  [
    "an endpoint in the report",
    "resync",
    object({ type: Type.Literal("resync"), reason: Type.String(), endpoint: Type.String() }),
    "resync.endpoint: listed: node protocol",
  ],
  [
    "an endpoint of each peer",
    "resync",
    object({
      type: Type.Literal("resync"),
      reason: Type.String(),
      peers: Type.Array(object({ at: Type.Union([Type.Null(), Type.String()]) })),
    }),
    "resync.peers.at: listed: node protocol",
  ],
  [
    "a member that is gone",
    "resync",
    object({ type: Type.Literal("resync") }),
    "resync.reason: no stale entries",
  ],
])("%s in the node protocol is found", (_what, name, schema, finding) => {
  expect(findNew("node protocol", frames, name, schema)).toEqual([finding]);
});

test.each([
  ["a tunnel event", "device_connected", object({}), "device_connected: listed: audit"],
  ["an address", "session_ended", object({ address: Type.String() }), "session_ended.address: listed: audit"],
  ["a free text", "keys_rotated", object({ what: Type.String() }), "keys_rotated.what: closed lists"],
  [
    "another word",
    "keys_rotated",
    object({ what: Type.Enum(["signing", "encryption", "x"]) }),
    "keys_rotated.what: closed lists",
  ],
])("%s in the audit trail is found", (_what, name, schema, finding) => {
  expect(findNew("audit", audit, name, schema)).toEqual([finding]);
});
