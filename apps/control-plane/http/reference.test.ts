import { api, listRoutes } from "@securewave/contracts";
import { NODE_SOCKET_PATH } from "@securewave/contracts/node-protocol";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, expect, test } from "vitest";
import { openTestApp } from "../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());
const { json: document } = await service.send("/api/openapi.json");

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
  expect(validator.version).toBe("3.1");
});

test("each route of the contract stands in it once, with its answer, its refusals and who may call it", () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, { operationId: string }>).map(([method, operation]) => ({
      at: `${method.toUpperCase()} ${path}`,
      ...operation,
    })),
  );
  const routes = listRoutes(api);
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(
    routes.map(({ name }) => name).sort(),
  );
  for (const { name, route } of routes) {
    const operation = document.paths[route.path][route.method.toLowerCase()];
    expect(operation).toMatchObject({ operationId: name, "x-access": route.access, summary: route.summary });
    expect(operation.responses[route.success.status]).toBeDefined();
    for (const { code, status } of route.errors) {
      expect(operation.responses[status].description, name).toContain(code);
    }
    const parameters = operation.parameters.map(
      (each: { name: string; in: string }) => `${each.in}.${each.name}`,
    );
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => `path.${parameter}`);
    expect(parameters, name).toEqual(expect.arrayContaining(named));
    expect(operation.requestBody === undefined).toBe(route.body === undefined);
    expect(operation.security === undefined).toBe(route.access === "anyone");
  }
});

test("the server answers on no path that the document leaves out, apart from the reference, pages, metrics and the nodes' socket", async () => {
  const listed = service.app.server.printRoutes({ commonPrefix: false });
  const served = [...listed.matchAll(/(\/api\/[^\s(]*|\/health)\s/g)].map(([, path = ""]) =>
    path.replace(/:(\w+)/g, "{$1}"),
  );
  const described = Object.keys(document.paths);
  const beyond = served.filter(
    (path) =>
      ![...described, "/api/openapi.json", NODE_SOCKET_PATH].includes(path) && !path.startsWith("/api/docs"),
  );
  expect(served.length).toBeGreaterThan(1);
  expect(beyond).toEqual([]);
});

test("the page to browse it needs nothing from elsewhere", async () => {
  const page = await service.send("/api/docs/");
  expect(page.status).toBe(200);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.text).not.toMatch(/https?:\/\//);
  for (const [, file] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect((await service.send(`/api/docs/${file}`)).status, file).toBe(200);
  }
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("script-src 'self';");
});
