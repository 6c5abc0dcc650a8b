import { connect } from "node:net";
import { fastify } from "fastify";
import { afterAll, describe, expect, test } from "vitest";
import { pluginOf } from "../step.ts";
import { sendRaw } from "../testing.ts";
import { createLimitsStep, type LimitsOptions, serverLimits } from "./index.ts";

const OPTIONS: LimitsOptions = {
  bodyBytesMax: 1024,
  requestSeconds: 2,
  headerSeconds: 1,
  urlLengthMax: 200,
  queryParametersMax: 5,
  headersMax: 10,
  pathParameterLengthMax: 20,
  requestsPerConnectionMax: 3,
};
const app = fastify({ ...serverLimits(OPTIONS), forceCloseConnections: true });
app.register(pluginOf("limits", createLimitsStep(OPTIONS)));
app.get("/", async () => "served");
app.get("/things/:id", async () => "served");
app.post("/", async () => "taken");
afterAll(() => app.close());

const get = (target: string, headers: string[] = []) =>
  sendRaw(app, { target, headers: ["Host", "localhost", ...headers] });

describe("floods in a head", () => {
  test("a URL is served up to its length, and refused beyond", async () => {
    const url = "/?a=";
    expect((await get(url.padEnd(200, "b"))).status).toBe(200);
    expect((await get(url.padEnd(201, "b"))).status).toBe(413);
  });

  test("query parameters are counted, also those without a name or a value", async () => {
    expect((await get("/?a&b&c&d&e")).status).toBe(200);
    for (const query of ["a=1&b=2&c=3&d=4&e=5&f=6", "&&&&&", "a=1&a=2&a=3&a=4&a=5&a=6"])
      expect((await get(`/?${query}`)).status, query).toBe(400);
  });

  test("headers are counted, also when one comes many times", async () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => [`X-${at % 3}`, "1"]).flat();
    expect((await get("/", many(8))).status).toBe(200); // with Host and Connection there are ten
    expect((await get("/", many(9))).status).toBe(413);
    expect((await get("/", many(2500))).status).toBeGreaterThanOrEqual(413);
  });

  test("a head of many kilobytes is refused, and so is a long path parameter", async () => {
    expect((await get("/", ["X-Large", "x".repeat(20_000)])).status).toBe(431);
    expect((await get(`/things/${"x".repeat(21)}`)).status).toBe(414);
  });
});

/** Writes parts with pauses; tells what came back, and how long the connection stood open. */
async function drip(
  parts: readonly string[],
  everyMs: number,
  enough?: RegExp,
): Promise<{ text: string; seconds: number }> {
  await get("/"); // it listens
  const address = app.server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return new Promise((resolve) => {
    const startMs = performance.now();
    const socket = connect(port, "127.0.0.1");
    let text = "";
    let at = 0;
    const dripping = setInterval(() => {
      const part = parts[at++];
      if (part !== undefined) socket.write(part);
    }, everyMs);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (enough?.test(text)) socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(dripping);
      resolve({ text, seconds: (performance.now() - startMs) / 1000 });
    });
  });
}

describe.concurrent("slow loris", () => {
  const letters = Array.from({ length: 100 }, () => "x");

  test("a head that drips is given up after its time", async () => {
    const { text, seconds } = await drip(["GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", ...letters], 100);
    expect(text).toMatch(/^HTTP\/1\.1 408|^$/);
    expect(seconds).toBeLessThan(6);
  });

  test("a body that drips is given up after its time", async () => {
    const head =
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n";
    const { text, seconds } = await drip([head, ...letters], 100);
    expect(text).not.toContain("taken");
    expect(seconds).toBeLessThan(8);
  });

  test("a connection that says nothing is closed", async () => {
    expect((await drip([], 1000)).seconds).toBeLessThan(6);
  });

  test("a connection serves so many requests, then its client is told to open another", async () => {
    const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const { text } = await drip([request, request, request, request, request], 50, /HTTP\/1\.1 503/);
    expect(text.match(/served/g)).toHaveLength(3);
    expect(text.split("served")[2]).toMatch(/connection: close/i);
  });
});

describe("bodies", () => {
  const post = (body: string) =>
    app.inject({ method: "POST", url: "/", headers: { "content-type": "application/json" }, body });

  test("are taken up to their size", async () => {
    expect((await post(JSON.stringify("x".repeat(1022)))).statusCode).toBe(200);
    expect((await post(JSON.stringify("x".repeat(1023)))).statusCode).toBe(413);
  });

  test.each(['{"__proto__":{"isAdmin":true}}', '{"constructor":{"prototype":{"isAdmin":true}}}'])(
    "with keys that reach prototypes are refused: %s",
    async (body) => {
      expect((await post(body)).statusCode).toBe(400);
    },
  );
});
