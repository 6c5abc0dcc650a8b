import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as contracts from "@securewave/contracts";
import { storeErrors } from "@securewave/database";
import type { Refusal } from "@securewave/foundation";
import { envelopeErrors } from "@securewave/foundation/envelope";
import { expect, test } from "vitest";

/** Any route can make these, so not each declares them. */
const { requestErrors, sentinelErrors } = contracts;
const { accountErrors, deviceErrors, nodeErrors, serverErrors, serviceErrors, sessionErrors } = contracts;
const { apiKeyErrors, auditErrors, blockErrors, keyErrors, passkeyErrors, secondFactorErrors } = contracts;
const { planErrors, privacyErrors, zeroLogErrors } = contracts;
const { alertErrors, backupErrors, breachErrors, drillErrors, jobErrors, statusErrors } = contracts;
const domains: Record<string, Record<string, Refusal>> = {
  accountErrors,
  alertErrors,
  apiKeyErrors,
  auditErrors,
  backupErrors,
  blockErrors,
  breachErrors,
  deviceErrors,
  drillErrors,
  jobErrors,
  keyErrors,
  nodeErrors,
  passkeyErrors,
  planErrors,
  privacyErrors,
  secondFactorErrors,
  serverErrors,
  serviceErrors,
  sessionErrors,
  statusErrors,
  zeroLogErrors,
};
const common = { requestErrors, sentinelErrors };
const routes = contracts.listRoutes(contracts.api);
const root = import.meta.dirname;
const sources = globSync(["../**/*.ts", "../../../packages/sentinel/*/*.ts"], { cwd: root })
  .filter((path) => !/\.test\.ts$|testing|node_modules/.test(path))
  .map((path) => readFileSync(join(root, path), "utf8"));
const made = new Set(
  sources.flatMap((source) =>
    [...source.matchAll(/\b(\w+Errors)\.(\w+)\b/g)].map(([, group, name]) => `${group}.${name}`),
  ),
);

const isCommon = (code: string) => /^(request|sentinel)\./.test(code);

test("this test knows every group of refusals that the contract has", () => {
  const groups = Object.keys(contracts).filter((name) => name.endsWith("Errors"));
  expect(groups.sort()).toEqual([...Object.keys(domains), ...Object.keys(common)].sort());
});

test("every code belongs to one refusal", () => {
  const codes = [...Object.values({ ...domains, ...common }), storeErrors, envelopeErrors].flatMap((group) =>
    Object.values(group).map(({ code }) => code),
  );
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  for (const code of codes) expect(code).toMatch(/^[a-z_]+\.[a-z_]+$/);
});

test("every refusal is declared by a route, and made somewhere", () => {
  const declared = new Set(routes.flatMap(({ route }) => route.errors.map(({ code }) => code)));
  for (const [group, refusals] of Object.entries({ ...domains, ...common })) {
    for (const [name, { code }] of Object.entries(refusals)) {
      if (!(group in common)) expect(declared, `${code} is declared by a route`).toContain(code);
      expect(made, `${code} is made somewhere`).toContain(`${group}.${name}`);
    }
  }
});

test("what a service says that it throws, the routes that call it declare, and nothing else", () => {
  // `@throws` above a verb of a service, and the route that calls this verb.
  const verbs = new Map<string, Set<string>>();
  for (const module of ["accounts", "sessions", "nodes", "devices"]) {
    const text = readFileSync(join(root, `../modules/${module}/service.ts`), "utf8");
    const pattern =
      /\/\*\*(?:(?!\*\/)[\s\S])*?@throws ([^@*]*(?:\*(?!\/)[^@*]*)*)\*\/\s*(?:async )?(\w+)[(:,]/g;
    for (const [, list = "", verb] of text.matchAll(pattern)) {
      verbs.set(`${module}.${verb}`, new Set(list.match(/[a-z]+\.[a-z_]+/g)));
    }
  }
  expect(verbs.size).toBeGreaterThan(15);
  const calls = ["accounts", "sessions", "nodes", "devices"].flatMap((module) => {
    const text = readFileSync(join(root, `../modules/${module}/routes.ts`), "utf8");
    const mounts = text.split(/\bmount\(/).slice(1);
    return mounts.flatMap((mount) => {
      const route = /^api\.(\w+\.\w+)/.exec(mount)?.[1];
      const called = [...mount.matchAll(/\b(accounts|sessions|nodes|devices)\.(\w+)\(/g)].map(
        (call) => `${call[1]}.${call[2]}`,
      );
      return route === undefined ? [] : [{ route, called }];
    });
  });
  expect(calls.length).toBeGreaterThan(25);
  for (const { route: name, called } of calls) {
    const route = routes.find((each) => each.name === name)?.route;
    const declared = new Set(route?.errors.map(({ code }) => code).filter((code) => !isCommon(code)));
    const thrown = new Set(
      called.flatMap((verb) => [...(verbs.get(verb) ?? [])]).filter((code) => !isCommon(code)),
    );
    for (const code of thrown) {
      // Its own account is there as long as its caller is logged in.
      if (name === "accounts.me" && code === "accounts.not_found") continue;
      expect(declared, `${name} declares ${code}`).toContain(code);
    }
    if (called.some((verb) => verbs.has(verb))) {
      for (const code of declared) expect(thrown, `${name} can answer ${code}`).toContain(code);
    }
  }
});
