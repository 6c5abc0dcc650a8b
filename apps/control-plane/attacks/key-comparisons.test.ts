import { globSync, readFileSync } from "node:fs";
import { type BinaryExpression, type Expression, parseSync } from "@swc/core";
import { expect, test } from "vitest";

const ROOT = new URL("../../../", import.meta.url);
/** All that runs in the control plane and is given a key by somebody who may not have it. */
const SOURCES = "{apps/control-plane,packages/{sentinel,foundation,contracts,live}}/**/*.ts";
const NOT_RUN = /node_modules|\.test\.ts$|\/testing(\/|\.ts$)|\.bundle\./;
const SECRET =
  /(secret|token|signature|digest|csrf|password|hmac|mac|credential|key|hash|nonce|challenge)s?$/i;
const PUBLIC = /public_?key$/i;
/** What everybody can read in the code is no secret. */
const IS_CONSTANT = /^[A-Z0-9_]+$/;
const COMPARING_METHODS = /^(equals|compare|includes|startsWith|endsWith|indexOf|localeCompare)$/;

/** Comparisons that look like one of a secret and are none, each with the reason. */
const HARMLESS: Readonly<Record<string, string>> = {
  "packages/sentinel/tokens/access-tokens.ts: key !== ringKeys": "whether two lists hold the same objects",
  "packages/sentinel/origins/origins.ts: latest !== keys": "whether it is the same object",
  "apps/control-plane/modules/data-keys/seal-plain.ts: place === password": "the name of a column",
  "packages/live/holdings.ts: peers === key": "a peer's public key",
  "apps/control-plane/modules/nodes/renewing.ts: registered === credential": "a node's public key",
  "apps/control-plane/modules/backups/work/restored.ts: digest === counts":
    "whether a restored copy is whole: nobody gives either",
  "apps/control-plane/modules/nodes/state-sync.ts: hash === hash":
    "of the peers of a node that has proved itself",
  "apps/control-plane/modules/sessions/service.ts: previous_hash.equals(hashToken)":
    "two hashes of tokens of 256 random bits: to know part of one leads to no token",
};

/** The name behind which a value is found: `token` for `request.headers.token`, `hashToken` for `hashToken(x)`. */
function nameOf(node: Expression | undefined): string {
  switch (node?.type) {
    case "Identifier":
      return node.value;
    case "MemberExpression":
      return node.property.type === "Identifier" ? node.property.value : nameOf(node.object);
    case "OptionalChainingExpression":
      return nameOf(node.base.type === "CallExpression" ? (node.base as Expression) : node.base);
    case "CallExpression":
      return node.callee.type === "Super" || node.callee.type === "Import" ? "" : nameOf(node.callee);
    case "ParenthesisExpression":
    case "TsNonNullExpression":
    case "TsAsExpression":
      return nameOf(node.expression);
    case "AwaitExpression":
      return nameOf(node.argument);
    default:
      return "";
  }
}

/** Whether it is written in the code what a value is compared with. */
function isFixed(node: Expression): boolean {
  if (/^(String|Numeric|Null|Boolean|BigInt)Literal$/.test(node.type)) return true;
  if (node.type === "UnaryExpression") return true;
  return node.type === "Identifier" && (node.value === "undefined" || IS_CONSTANT.test(node.value));
}

const isSecret = (name: string) => SECRET.test(name) && !PUBLIC.test(name);

function comparisonIn(node: { type: string }): string | undefined {
  if (node.type === "BinaryExpression") {
    const { operator, left, right } = node as BinaryExpression;
    if (!/^[!=]==?$/.test(operator) || isFixed(left) || isFixed(right)) return undefined;
    const names = [nameOf(left), nameOf(right)];
    return names.some(isSecret) ? names.join(` ${operator} `) : undefined;
  }
  if (node.type !== "CallExpression") return undefined;
  const call = node as Extract<Expression, { type: "CallExpression" }>;
  const callee = call.callee.type === "OptionalChainingExpression" ? call.callee.base : call.callee;
  const [argument] = call.arguments;
  if (callee.type !== "MemberExpression" || !argument || isFixed(argument.expression)) return undefined;
  const method = nameOf(callee);
  const [object, given] = [nameOf(callee.object), nameOf(argument.expression)];
  return COMPARING_METHODS.test(method) && [object, given].some(isSecret)
    ? `${object}.${method}(${given})`
    : undefined;
}

/** Every comparison in a source text that ends at the first difference and has a secret's name on one side. */
function comparisonsOfSecrets(source: string): string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("type" in value && typeof value.type === "string") {
      const comparison = comparisonIn({ ...value, type: value.type });
      if (comparison !== undefined) found.push(comparison);
    }
    for (const inner of Object.values(value)) walk(inner);
  };
  walk(parseSync(source, { syntax: "typescript" }));
  return found;
}

test("timing of key comparison: no code of the control plane compares a secret by a comparison that ends early", () => {
  const files = globSync(SOURCES, { cwd: ROOT.pathname }).filter((path) => !NOT_RUN.test(path));
  expect(files.length).toBeGreaterThan(150);
  const found = files.flatMap((path) =>
    comparisonsOfSecrets(readFileSync(new URL(path, ROOT), "utf8")).map(
      (comparison) => `${path}: ${comparison}`,
    ),
  );
  expect([...new Set(found)].sort()).toEqual(Object.keys(HARMLESS).sort());
});

test.each([
  ["if (given === row.token) open();", "given === token"],
  ["const isRight = hashToken(text) !== session?.refresh_hash;", "hashToken !== refresh_hash"],
  ["const isOurs = (await read()).signature == bytes!;", "signature == bytes"],
  ["known.apiKeys.includes(text)", "apiKeys.includes(text)"],
  ["stored?.equals(digest)", "stored.equals(digest)"],
  ["Buffer.compare(csrfToken, given) === 0", "Buffer.compare(csrfToken)"],
])("such a comparison is found: %s", (source, comparison) => {
  expect(comparisonsOfSecrets(source)).toEqual([comparison]);
});

test.each([
  "token.length === 43",
  "if (token === undefined || typeof secret === 'string') f();",
  "timingSafeEqual(hash, secretHash)",
  "where('token_hash', '=', hash)",
  "publicKey === other.publicKey",
])("what compares no secret is not: %s", (source) => {
  expect(comparisonsOfSecrets(source)).toEqual([]);
});

test.each([
  ["packages/sentinel/credentials/verifier.ts", "API keys and session cookies"],
  ["packages/sentinel/csrf/index.ts", "CSRF tokens"],
  ["packages/sentinel/tokens/key-ring.ts", "access tokens"],
  ["packages/sentinel/bot/challenges.ts", "proofs of work"],
  ["apps/control-plane/modules/passkeys/challenges.ts", "challenges of passkeys"],
  ["apps/control-plane/modules/sessions/refresh-token.ts", "refresh tokens"],
])("%s compares %s in constant time", (path) => {
  const source = readFileSync(new URL(path, ROOT), "utf8");
  expect(source).toMatch(/(timingSafeEqual|equalInConstantTime)\(/);
});

test.each([
  ["apps/control-plane/modules/nodes/store.ts", "join_token_hash"],
  ["apps/control-plane/modules/sessions/store.ts", "refresh_hash"],
  ["apps/control-plane/modules/accounts/store.ts", "hash"],
])("%s looks tokens up by their %s", (path, column) => {
  const source = readFileSync(new URL(path, ROOT), "utf8");
  expect(source).toContain(`where("${column}", "=", `);
  expect(source).not.toMatch(/where\("\w*(token|secret)"/);
});
