import { api, listRoutes, type RouteSpec } from "@securewave/contracts";
import { createId, ID_PREFIXES, type IdKind } from "@securewave/foundation";
import { LOW_ORDER_POINTS } from "@securewave/wireguard";
import { generateAgreement } from "@securewave/wireguard/agreed-keys";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import fc from "fast-check";
import { PASSWORD } from "./app.ts";

/** Where a value is taken from at the moment of sending: what exists then is not known when it is drawn. */
export interface Known {
  /** Ids of one kind; empty when there are none. */
  ids(kind: IdKind): readonly string[];
  /** Any text that was once of meaning: keys, tokens, cursors, names, mail addresses. */
  texts(sort: KnownText): readonly string[];
}

export type KnownText =
  | "key"
  | "email"
  | "name"
  | "cursor"
  | "one-time token"
  | "refresh token"
  | "join token";

/** Stands for a known value until the request is sent. */
export interface Reference {
  readonly known: IdKind | KnownText;
  readonly pick: number;
  readonly otherwise: string;
}

export type Caller = "visitor" | "customer" | "neighbour" | "support" | "admin";

export interface RandomRequest {
  readonly route: RouteSpec;
  readonly name: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: readonly (readonly [string, unknown])[];
  /** Undefined sends none; bytes and texts go as they are. */
  readonly body: unknown;
  readonly caller: Caller;
  readonly headers: Readonly<Record<string, string>>;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** Each of these costs a slow hash, or a log-in without which the following requests are refused. */
const SELDOM =
  /^(accounts\.(register|create|change)|sessions\.(log|end)\w*|session\.(open|close)\w*|service\.setUp|passwords\.\w+|secondFactor\.\w+|keys\.rotate|privacy\.askDeletion|privacyDesk\.erase)$/;
/** What lets in nobody but staff, so that all other requests would be refused. */
const CLOSING = /^(statusDesk\.switchMode|breaches\.start)$/;
/** A year around the time at which the tests' clock begins. */
const DATES_FROM = Date.UTC(2026, 0, 1);
const DATES_SPAN_MS = 365 * 24 * 3600 * 1000;
const ENCAPSULATION_KEYS = Array.from({ length: 5 }, () => generateAgreement().encapsulationKey);
const KEYS = Array.from({ length: 40 }, () => String(generateKeyPair().publicKey));

const reference = (known: Reference["known"], otherwise: fc.Arbitrary<string>): fc.Arbitrary<unknown> =>
  fc.record({ known: fc.constant(known), pick: fc.nat(10_000), otherwise });

const plainText = fc.oneof(
  {
    arbitrary: fc
      .string({ unit: fc.constantFrom(..."abcXYZ019 é名🦊-'/"), maxLength: 70 })
      .map((text) => `a${text}z`),
    weight: 4,
  },
  { arbitrary: fc.string({ unit: "grapheme", maxLength: 70 }), weight: 1 },
);
const wildText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "",
    " ",
    "\0",
    "\ud800",
    "\u202e",
    "null",
    "-1",
    "1e400",
    "%00",
    "..",
    "../../etc/passwd",
    "' or 1=1 --",
    "{{x}}",
    "\r\nX: y",
  ),
  fc.nat(3).map((size) => "x".repeat(10 ** (size + 1))),
);
const wild: fc.Arbitrary<unknown> = fc.oneof(
  wildText,
  fc.constantFrom(null, true, false, 0, -0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, Number.MIN_VALUE),
  fc.constantFrom([], {}, [[]], [null], { $ne: null }, { length: 5 }, { toString: 1 }, { toJSON: "x" }),
  fc.jsonValue({ maxDepth: 3 }),
);

function textFor(name: string, schema: Schema): fc.Arbitrary<unknown> {
  const { enum: words, pattern, format, maxLength = 60 } = schema;
  if (words) return fc.constantFrom(...words);
  if (format === "date-time" || format === "date")
    return fc
      .integer({ min: DATES_FROM, max: DATES_FROM + DATES_SPAN_MS })
      .map((time) => new Date(time).toISOString().slice(0, format === "date" ? 10 : undefined));
  const kind = (Object.keys(ID_PREFIXES) as IdKind[]).find((each) =>
    pattern?.startsWith(`^${ID_PREFIXES[each]}_`),
  );
  if (kind)
    return reference(
      kind,
      fc.constant(kind).map((each) => createId(each)),
    );
  switch (name) {
    case "email":
      return reference(
        "email",
        fc.nat(999).map((number) => `random${number}@example.org`),
      );
    case "password":
    case "current_password":
      return fc.oneof(
        { arbitrary: fc.constant(PASSWORD), weight: 4 },
        { arbitrary: fc.constantFrom("another long password 5", "password123", "short"), weight: 1 },
      );
    case "public_key":
    case "wireguard_public_key":
      return fc.oneof(
        { arbitrary: fc.constantFrom(...KEYS), weight: 6 },
        { arbitrary: reference("key", fc.constantFrom(...KEYS)), weight: 3 },
        { arbitrary: fc.constantFrom(...LOW_ORDER_POINTS), weight: 1 },
      );
    case "encapsulation_key":
      return fc.oneof(
        { arbitrary: fc.constantFrom(...ENCAPSULATION_KEYS), weight: 8 },
        { arbitrary: fc.constant(`${"/".repeat(2090)}8=`), weight: 1 }, // no coefficient is below the modulus
      );
    case "credential":
      return fc
        .uint8Array({ minLength: 32, maxLength: 32 })
        .map((bytes) => Buffer.from(bytes).toString("base64url"));
    case "cursor":
      return reference(
        "cursor",
        fc.json({ maxDepth: 1 }).map((text) => Buffer.from(text).toString("base64url")),
      );
    case "refresh_token":
      return reference("refresh token", plainText);
    case "token":
      return fc.oneof(
        { arbitrary: reference("join token", plainText), weight: 3 },
        { arbitrary: reference("one-time token", plainText), weight: 1 },
      );
    case "network":
      // Of those that are kept for documentation: a block of them holds none of the callers.
      return fc.constantFrom("203.0.113.7", "198.51.100.0/24", "2001:db8::/48", "203.0.113.0/33", "x");
    case "host":
      return fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.constantFrom("a..b", "::", "1.2.3", "-"));
    case "agent_version":
      return fc.constantFrom("1.0.0", "0.1.0-beta+5", "");
    case "name":
      if (pattern?.startsWith("^[A-Za-z0-9]")) return fc.nat(400).map((number) => `Node-${number}`);
      return fc.oneof(
        reference("name", fc.constantFrom("US-East-1", "Phone", "a")),
        plainText.map((text) => text.slice(0, maxLength)),
      );
    default:
      return pattern && !pattern.includes("\\p{")
        ? fc.stringMatching(new RegExp(pattern)).filter((text) => text.length <= maxLength)
        : plainText.map((text) => text.slice(0, maxLength));
  }
}

/** Values that mostly fit a schema, by the name of the field where a schema says little. */
function valueFor(name: string, schema: Schema): fc.Arbitrary<unknown> {
  const { minimum = -10, maximum = 1_000_000 } = schema;
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case "string":
      return textFor(name, schema);
    case "integer":
      return fc.oneof(fc.integer({ min: minimum, max: maximum }), fc.constantFrom(minimum, maximum));
    case "number":
      return fc.double({ min: minimum, max: maximum, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "array":
      return (schema.uniqueItems ? fc.uniqueArray : fc.array)(
        fc.constantFrom(...(schema.items?.enum ?? ["fast", "eu", "a-b", "x"])),
        {
          minLength: schema.minItems ?? 0,
          maxLength: Math.min(schema.maxItems ?? 5, 5),
        },
      );
    case "object":
      return objectFor(schema);
    default:
      return wild;
  }
}

function objectFor({ properties = {}, required = [] }: Schema): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      fc.oneof({ arbitrary: valueFor(name, schema), weight: 19 }, { arbitrary: wild, weight: 1 }),
    ]),
  );
  return fc.record(fields, { requiredKeys: [...required] });
}

function bodyFor(route: RouteSpec): fc.Arbitrary<unknown> {
  const schema = route.body as Schema | undefined;
  const fitting: fc.Arbitrary<unknown> = schema ? objectFor(schema) : fc.constant(undefined);
  const changed = fc
    .tuple(fitting, fc.constantFrom("surplus", "__proto__", "constructor", "id", "role", ""), wild)
    .map(([body, field, value]) =>
      JSON.stringify(body ?? {})
        .replace("{", () => `{${JSON.stringify(field)}:${JSON.stringify(value) ?? "null"},`)
        .replace(",}", "}"),
    );
  return fc.oneof(
    { arbitrary: fitting, weight: 40 },
    { arbitrary: changed, weight: 4 },
    { arbitrary: wild, weight: 2 },
    { arbitrary: fc.uint8Array({ maxLength: 60 }), weight: 2 },
    { arbitrary: fc.json(), weight: 1 },
    { arbitrary: fitting.map((body) => (JSON.stringify(body) ?? "").slice(0, -1)), weight: 1 },
  );
}

function queryFor(route: RouteSpec): fc.Arbitrary<[string, unknown][]> {
  const schema = route.query as Schema | undefined;
  const fitting: fc.Arbitrary<[string, unknown][]> = objectFor(schema ?? {}).map((query) =>
    Object.entries(query),
  );
  const surplus: fc.Arbitrary<[string, unknown][]> = fc.array(fc.tuple(wildText, wildText), {
    minLength: 1,
    maxLength: 3,
  });
  return fc.oneof(
    { arbitrary: fitting, weight: 18 },
    { arbitrary: surplus, weight: 1 },
    { arbitrary: fc.tuple(fitting, fitting).map(([one, two]) => [...one, ...two]), weight: 1 },
  );
}

const oddHeaders = fc.dictionary(
  fc.constantFrom(
    "x-forwarded-for",
    "x-http-method-override",
    "if-none-match",
    "range",
    "accept",
    "accept-encoding",
    "cookie",
    "origin",
    "expect",
    "te",
    "x-a",
  ),
  fc.oneof(
    fc.stringMatching(/^[\x20-\x7e]{0,60}$/),
    fc.constantFrom("*/*", "gzip", "bytes=0-1", "securewave_refresh=swr_x", "\u00ff"),
  ),
  { maxKeys: 3 },
);
const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 12 },
  { arbitrary: oddHeaders, weight: 3 },
  {
    arbitrary: fc
      .constantFrom(
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-8",
        "",
        "a/b/c",
        "application/json;;",
      )
      .map((type) => ({ "content-type": type })),
    weight: 1,
  },
  {
    arbitrary: fc
      .constantFrom("Bearer x", "Bearer a.b.c", "Basic x", "", "Bearer ")
      .map((authorization) => ({ authorization })),
    weight: 1,
  },
);

/** A request to one of the routes: mostly one that could be meant, sometimes one that could not. */
export function randomRequest(): fc.Arbitrary<RandomRequest> {
  const perRoute = listRoutes(api)
    .filter(({ name }) => !CLOSING.test(name))
    .map(({ name, route }) => {
      const { method } = route;
      const arbitrary = fc.record({
        name: fc.constant(name),
        route: fc.constant(route),
        method: fc.oneof(
          { arbitrary: fc.constant<string>(method), weight: 30 },
          {
            arbitrary: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
            weight: 1,
          },
        ),
        params: route.params ? objectFor(route.params as Schema) : fc.constant({}),
        query: queryFor(route),
        body: bodyFor(route),
        caller: callerFor(route),
        headers,
      });
      return { arbitrary, weight: SELDOM.test(name) ? 2 : name.startsWith("devices.") ? 20 : 12 };
    });
  return fc.oneof(...perRoute);
}

function callerFor({ access }: RouteSpec): fc.Arbitrary<Caller> {
  const anybody = fc.constantFrom<Caller>("visitor", "customer", "neighbour", "support", "admin");
  const fitting: Caller[] =
    access === "staff" ? ["support", "admin"] : access === "admin" ? ["admin"] : ["customer", "neighbour"];
  return fc.oneof({ arbitrary: fc.constantFrom(...fitting), weight: 4 }, { arbitrary: anybody, weight: 1 });
}

/** Puts known values in place of the references to them. */
export function resolve(value: unknown, known: Known): unknown {
  if (Array.isArray(value)) return value.map((each) => resolve(each, known));
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  if (isReference(value)) {
    const candidates =
      value.known in ID_PREFIXES ? known.ids(value.known as IdKind) : known.texts(value.known as KnownText);
    // Now and then the fresh one, and that always where nothing is known.
    return value.pick % 5 === 0
      ? value.otherwise
      : (candidates[value.pick % candidates.length] ?? value.otherwise);
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(each, known)]));
}

function isReference(value: object): value is Reference {
  return "known" in value && "pick" in value && "otherwise" in value;
}
