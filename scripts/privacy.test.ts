import { catalogue, findInSource, findReaches, reaches } from "@securewave/privacy";
import { describe, expect, test } from "vitest";
import { sourceFactsOf } from "./source-facts.ts";

type Code = Readonly<Record<string, string>>;

/** Findings of some files alone; entries that they do not use are not meant. */
function findIn(code: Code): string[] {
  const files = Object.entries(code).map(([path, text]) => sourceFactsOf(path, text));
  const findings = [...findInSource(files, catalogue), ...findReaches(files, reaches, catalogue)];
  return findings
    .filter(({ rule, problem }) => rule !== "no stale entries" && !problem.startsWith("has no "))
    .map(({ rule, place }) => `${place}: ${rule}`);
}

const SERVICE = "apps/control-plane/modules/x/service.ts";

describe("what code logs, queues and tells", () => {
  test.each([
    ["an event that is not listed", SERVICE, `logger.info("peer_connected");`, "log event"],
    ["one of two events", SERVICE, `options.logger?.warn(isUp ? "redis_up" : "redis_gone");`, "log event"],
    ["an event that is put together", SERVICE, 'logger.info("peer " + key);', "names in the code"],
    ["a field", SERVICE, `logger.info("started", { address });`, "log"],
    [
      "a field of the log's type",
      "apps/control-plane/logger.ts",
      "export interface LogFields { readonly ip?: string }",
      "log",
    ],
    [
      "an event of the agent",
      "apps/node-agent/log.ts",
      `export type LogEvent = "starting" | "peer-seen";`,
      "log event",
    ],
    [
      "a field of the agent's log",
      "apps/node-agent/log.ts",
      "export type LogFields = { readonly endpoint?: string };",
      "log",
    ],
    ["a job", SERVICE, `jobs.define("on-connect", async () => {});`, "job"],
    [
      "a job's payload",
      SERVICE,
      `jobs.define<{ accountId: string; address: string }>("account-mail", run);`,
      "job",
    ],
    [
      "a payload where it is sent",
      SERVICE,
      `const JOB = "account-mail"; jobs.send(JOB, { accountId, address }, trx);`,
      "job",
    ],
    [
      "a topic of the bus",
      "apps/control-plane/bus.ts",
      `export interface Messages { readonly "device-connected": string }`,
      "bus",
    ],
    ["a kind of names in Redis", SERVICE, `store.nameOf("sessions", id);`, "redis"],
    [
      "a figure in a binary frame",
      "packages/contracts/node-frames.ts",
      "export interface Totals { received: Float64Array; endpoint: Float64Array }",
      "node protocol",
    ],
    [
      "what memory holds",
      "packages/sentinel/failures/row.ts",
      "export interface Row { failures: number; address: string }",
      "memory",
    ],
    ["an attribute of a span", SERVICE, `span.setAttribute("client.address", request.ip);`, "trace"],
  ])("%s is found", (_what, path, code, room) => {
    const rule = room === "names in the code" ? room : `listed: ${room}`;
    const [first = "", ...others] = findIn({ [path]: code });
    expect(first).toMatch(new RegExp(`^${path.replaceAll(".", "\\.")}(:1)?: ${rule}$`));
    expect(others).toEqual([]);
  });

  test("a customer's act that is written by the second is found", () => {
    const code = `const TIMED_KINDS: ReadonlySet<AuditKind> = new Set(["account_created", "login_succeeded"]);`;
    const place = "apps/control-plane/modules/audit/act.ts";
    expect(findIn({ [place]: code })).toEqual([`${place}: no time finer than a day`]);
  });

  test("what is listed is not, wherever its name is written", () => {
    const code = `
      const JOB = "clean-up";
      jobs.define(JOB, run, { cron });
      logger.warn(state === "up" ? "redis_up" : "redis_down", { ...describeError(error), count: 1 });
      store?.nameOf("rate", key);`;
    expect(findIn({ [SERVICE]: code })).toEqual([]);
  });

  test("an entry that nothing in the code uses is found, so that none is hidden behind it", () => {
    const findings = findInSource([sourceFactsOf(SERVICE, "")], catalogue);
    expect(findings.some(({ place, rule }) => place === "job clean-up" && rule === "no stale entries")).toBe(
      true,
    );
  });
});

describe("a file of code that reaches out of its process and is not listed", () => {
  test.each([
    ["writes files", `import { writeFile } from "node:fs/promises";`],
    ["appends to files", `import { appendFileSync as add } from "node:fs";`],
    ["takes the whole of fs", `import fs from "node:fs";`],
    ["opens connections", `import { connect } from "node:net";`],
    ["asks the web", `await fetch(url);`],
    ["asks the web where nothing else is given", `await (options.fetch ?? fetch)(url);`],
    ["runs programs", `import { execFile } from "node:child_process";`],
    ["writes heap snapshots", `import { writeHeapSnapshot } from "node:v8";`],
    ["writes reports", `process.report.writeReport(path);`],
    ["keeps a database of its own", `import { DatabaseSync } from "node:sqlite";`],
    ["keeps things in a browser", `localStorage.setItem("last", "1");`],
    ["writes to a console", `console.log(request.ip);`],
    ["opens another Redis", `import { Redis } from "ioredis";`],
  ])("is found: it %s", (_what, code) => {
    expect(findIn({ [SERVICE]: code })).toEqual([`${SERVICE}: listed reaches`]);
  });

  test.each([
    ["with a header more", `headers.set("x-forwarded-for", request.ip);`],
    ["with one in an object", `const headers = { accept: "x", ...(ip ? { "x-real-ip": ip } : {}) };`],
    ["with one in its options", `request(url, { headers: { "user-agent": "securewave/1.0 host" } });`],
  ])("is found to call %s", (_what, code) => {
    const path = "packages/vault/transport.ts";
    expect(findIn({ [path]: code })).toContain(`${path}: listed: outgoing`);
  });

  test.each([
    ["reads files", `import { readFile, stat } from "node:fs/promises";`],
    [
      "takes types alone",
      `import type { Socket } from "node:net"; import { type Server, STATUS_CODES } from "node:http";`,
    ],
  ])("is left alone when it %s", (_what, code) => {
    expect(findIn({ [SERVICE]: code })).toEqual([]);
  });
});
