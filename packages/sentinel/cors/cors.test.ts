import { fastify } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { pluginOf } from "../step.ts";
import { type CorsOptions, createCorsStep } from "./index.ts";

const open: ReturnType<typeof fastify>[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

function serve(options: CorsOptions, { isSlow = false } = {}) {
  const app = fastify();
  open.push(app);
  let reached = 0;
  app.register(pluginOf("cors", createCorsStep(options)));
  if (isSlow)
    app.addHook("onSend", async (_request, _reply, payload) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return payload;
    });
  const handler = async () => {
    reached++;
    return "served";
  };
  app.get("/", handler);
  app.options("/", handler);
  return {
    get: (origin?: string) => app.inject({ url: "/", headers: origin === undefined ? {} : { origin } }),
    preflight: (origin: string, url = "/") =>
      app.inject({
        method: "OPTIONS",
        url,
        headers: { origin, "access-control-request-method": "PUT" },
      }),
    options: (origin: string) => app.inject({ method: "OPTIONS", url: "/", headers: { origin } }),
    reached: () => reached,
  };
}

const PANEL = "https://panel.example.org";
const namesOf = (headers: object) =>
  Object.keys(headers).filter((name) => name.startsWith("access-control-"));

describe("a listed origin", () => {
  test("may read answers, without cookies", async () => {
    const { headers } = await serve({ origins: [PANEL], exposedHeaders: ["retry-after"] }).get(PANEL);
    expect(headers).toMatchObject({
      "access-control-allow-origin": PANEL,
      "access-control-expose-headers": "retry-after",
      vary: "Origin",
    });
    expect(headers).not.toHaveProperty("access-control-allow-credentials");
  });

  test("gets its preflight answered without reaching a route, also where there is none", async () => {
    const cors = serve({ origins: [PANEL], maxAgeSeconds: 60 });
    for (const url of ["/", "/no/route/here"]) {
      const answer = await cors.preflight(PANEL, url);
      expect(answer).toMatchObject({ statusCode: 204, body: "" });
      expect(answer.headers).toMatchObject({
        "access-control-allow-origin": PANEL,
        "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": "60",
        vary: "Origin",
      });
    }
    expect(cors.reached()).toBe(0);
  });

  test("gets it also where a hook holds answers up, and the route is not reached meanwhile", async () => {
    const cors = serve({ origins: [PANEL] }, { isSlow: true });
    expect((await cors.preflight(PANEL)).statusCode).toBe(204);
    expect(cors.reached()).toBe(0);
  });

  test("reaches the route by an OPTIONS that is no preflight", async () => {
    const cors = serve({ origins: [PANEL] });
    expect((await cors.options(PANEL)).body).toBe("served");
  });

  test("may send cookies only where that is said", async () => {
    const { headers } = await serve({ origins: [PANEL], withCredentials: true }).get(PANEL);
    expect(headers["access-control-allow-credentials"]).toBe("true");
  });
});

describe("an unknown origin", () => {
  test.each([
    "https://evil.example",
    "http://panel.example.org",
    "https://panel.example.org:8443",
    "https://panel.example.org.evil.example",
    "https://evilpanel.example.org",
    "null",
    "",
    "https://panel.example.org\u0000",
  ])("%s gets no header that lets it read, neither answered nor asked first", async (origin) => {
    const cors = serve({ origins: [PANEL] });
    for (const { headers } of [await cors.get(origin), await cors.preflight(origin)]) {
      expect(namesOf(headers)).toEqual([]);
      expect(headers.vary).toBe("Origin"); // so that no cache gives it the answer of a listed one
    }
  });

  test("is served as it would be without its Origin header", async () => {
    expect((await serve({ origins: [PANEL] }).get("https://evil.example")).body).toBe("served");
  });
});

describe("wildcards", () => {
  const origins = ["https://*.example.org"];
  test.each(["https://a.example.org", "https://a.b.example.org", "https://a-1.example.org"])(
    "%s is below example.org",
    async (origin) => {
      expect((await serve({ origins }).get(origin)).headers["access-control-allow-origin"]).toBe(origin);
    },
  );

  test.each([
    "https://example.org",
    "https://.example.org",
    "https://evilexample.org",
    "https://a.example.org.evil.example",
    "https://a.example.org:8443",
    "http://a.example.org",
    "https://evil.example/.example.org",
    "https://evil.example?.example.org",
    "https://evil.example#.example.org",
    "https://user@evil.example\\.example.org",
    "https://a..example.org",
  ])("%s is not", async (origin) => {
    expect(namesOf((await serve({ origins }).get(origin)).headers)).toEqual([]);
  });

  test("the star lets every page read, never with cookies", async () => {
    const { headers } = await serve({ origins: ["*"] }).get("https://any.example");
    expect(headers["access-control-allow-origin"]).toBe("*");
    expect(headers).not.toHaveProperty("access-control-allow-credentials");
    expect(() => createCorsStep({ origins: ["*"], withCredentials: true })).toThrow(TypeError);
    expect(() => createCorsStep({ origins: [PANEL, "*"], withCredentials: true })).toThrow(TypeError);
  });
});

describe("settings", () => {
  test.each([
    "panel.example.org",
    "https://panel.example.org/",
    "https://panel.example.org/path",
    "https://panel.example.org?",
    "ftp://panel.example.org",
    "null",
    "https://*",
    "https://*.*.example.org",
    "https://a*.example.org",
    "https://*.example.org/path",
    "https://user@panel.example.org",
  ])("%s, which no browser would send, is refused at the start", (origin) => {
    expect(() => createCorsStep({ origins: [origin] })).toThrow(TypeError);
  });

  test("are taken as browsers would write them", async () => {
    const cors = serve({ origins: ["https://PANEL.example.org:443", "https://*.EXAMPLE.com:443"] });
    for (const origin of [PANEL, "https://a.example.com"])
      expect((await cors.get(origin)).headers["access-control-allow-origin"]).toBe(origin);
  });

  test("without origins nothing is added to answers", async () => {
    const { headers } = await serve({ origins: [] }).get(PANEL);
    expect([...namesOf(headers), headers.vary]).toEqual([undefined]);
  });
});
