import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { openTestApp, PASSWORD } from "../testing.ts";

const LIMIT = 8;
const FAILED_LOG_INS_MAX = 4;
const settings = { RATE_LIMIT_IP: String(LIMIT), AUTO_BLOCK_FAILED_LOGINS: String(FAILED_LOG_INS_MAX) };
/** More than limits, blocks and failures are remembered for. */
const DAY_SECONDS = 25 * 3600;

type Service = Awaited<ReturnType<typeof openTestApp>>;
/** Header lines, names and values by turns, as Node sends them: the same name may come twice. */
type Lines = readonly string[];

/** `fetch` joins lines of the same name and refuses odd ones; this sends what it is told. */
async function send({ baseUrl }: Service, path: string, lines: Lines, body?: object): Promise<string> {
  const { host } = new URL(baseUrl);
  const content = body === undefined ? "" : JSON.stringify(body);
  const own = body ? ["content-type", "application/json", "content-length", String(content.length)] : [];
  const sent = request(baseUrl + path, {
    method: body ? "POST" : "GET",
    headers: ["host", host, ...own, ...lines],
  });
  sent.end(content);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const answer = await text(response);
  return response.statusCode === 200 ? "ok" : String(JSON.parse(answer).code);
}

/** What a client writes to be taken for somebody else each time: `n` counts its requests. */
const DISGUISES: Readonly<Record<string, (n: number) => Lines>> = {
  "an IPv4 address": (n) => ["X-Forwarded-For", `198.51.100.${n}`],
  "an IPv6 address": (n) => ["X-Forwarded-For", `2001:db8:${n}::1`],
  "an address with a port": (n) => ["X-Forwarded-For", `198.51.100.${n}:4711`],
  "an IPv6 address in brackets with a port": (n) => ["X-Forwarded-For", `[2001:db8:${n}::1]:4711`],
  "an IPv4 address inside IPv6": (n) => ["X-Forwarded-For", `::ffff:198.51.100.${n}`],
  "the proxy's own address": (n) => ["X-Forwarded-For", `198.51.100.${n}, 127.0.0.1`],
  "the proxy's own address inside IPv6": (n) => ["X-Forwarded-For", `198.51.100.${n}, ::ffff:127.0.0.1`],
  "the name of the proxy": (n) => ["X-Forwarded-For", `198.51.100.${n}, localhost`],
  "many addresses": (n) => [
    "X-Forwarded-For",
    Array.from({ length: 60 }, (_, at) => `10.${n}.0.${at}`).join(", "),
  ],
  "several headers": (n) => ["X-Forwarded-For", `198.51.100.${n}`, "x-forwarded-for", `198.51.101.${n}`],
  "what is no address": (n) => ["X-Forwarded-For", `evil-${n}`],
  "nothing between commas": (n) => ["X-Forwarded-For", ` , ,${",".repeat(n)}`],
  "unknown and obfuscated names": (n) => ["X-Forwarded-For", n % 2 ? "unknown" : `_hidden${n}`],
  "quotes and tabs": (n) => ["X-Forwarded-For", `"198.51.100.${n}"\t,\t`],
  "numbers that could be an address": (n) => ["X-Forwarded-For", `${3_325_256_704 + n}`],
  "an address with a zone": (n) => ["X-Forwarded-For", `fe80::${n}%eth${n}`],
  "the header of RFC 7239": (n) => ["Forwarded", `for=198.51.100.${n}`],
  "headers of other proxies": (n) =>
    ["X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP"].flatMap(
      (name) => [name, `198.51.100.${n}`],
    ),
  "names of headers in other letters": (n) => ["x-FORWARDED-for", `198.51.100.${n}`],
  "a name that some servers take for the same": (n) => ["X_Forwarded_For", `198.51.100.${n}`],
};

/** A client's own lines, with the address that its proxy saw behind them. */
const behindProxy = (lines: Lines, address: string): Lines => [...lines, "X-Forwarded-For", address];

/** Proxies that do not add a line of their own write the address behind what stands there. */
const inOneLine = (lines: Lines, address: string): Lines => {
  const at = lines.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "x-forwarded-for");
  return at < 0
    ? behindProxy(lines, address)
    : lines.with(at + 1, `${lines[at + 1]}, ${address}`).slice(0, at + 2);
};

async function codesOf(count: number, ask: (n: number) => Promise<string>): Promise<string[]> {
  const codes: string[] = [];
  for (let n = 0; n < count; n++) codes.push(await ask(n));
  return codes;
}

const LIMITED = [...Array(LIMIT).fill("ok"), ...Array(2).fill("sentinel.too_many_requests")];

describe("X-Forwarded-For spoofing, of a service that trusts no proxy", async () => {
  const service = await openTestApp({ settings });
  afterAll(() => service.close());

  test.each(Object.entries(DISGUISES))("%s: the limit counts who is connected", async (_, linesOf) => {
    service.clock.advanceSeconds(DAY_SECONDS);
    expect(await codesOf(LIMIT + 2, (n) => send(service, "/api/service", linesOf(n)))).toEqual(LIMITED);
  });

  test("a block holds in every disguise", async () => {
    service.clock.advanceSeconds(DAY_SECONDS);
    const { email } = await service.person();
    const body = { email, password: "not the password" };
    await codesOf(FAILED_LOG_INS_MAX + 1, (n) =>
      send(service, "/api/auth/login", ["X-Forwarded-For", `198.51.100.${n}`], body),
    );
    for (const [disguise, linesOf] of Object.entries(DISGUISES))
      expect(await send(service, "/api/service", linesOf(77)), disguise).toBe("sentinel.blocked");
  });
});

describe("X-Forwarded-For spoofing, through a trusted proxy", async () => {
  const service = await openTestApp({ settings: { ...settings, TRUSTED_PROXIES: "127.0.0.1" } });
  afterAll(() => service.close());
  const CLIENT = "203.0.113.7";

  describe.each([
    ["in a line of its own", behindProxy],
    ["behind what is there", inOneLine],
  ])("which writes the client's address %s", (_, write) => {
    test.each(Object.entries(DISGUISES))("%s: the limit counts the client", async (_, linesOf) => {
      service.clock.advanceSeconds(DAY_SECONDS);
      const codes = await codesOf(LIMIT + 2, (n) => send(service, "/api/service", write(linesOf(n), CLIENT)));
      expect(codes).toEqual(LIMITED);
      expect(await send(service, "/api/service", write([], "203.0.113.8"))).toBe("ok");
    });

    test("a block holds in every disguise, and for nobody else", async () => {
      service.clock.advanceSeconds(DAY_SECONDS);
      const { email } = await service.person();
      const body = { email, password: "not the password" };
      await codesOf(FAILED_LOG_INS_MAX + 1, (n) =>
        send(service, "/api/auth/login", write(["X-Forwarded-For", `198.51.100.${n}`], CLIENT), body),
      );
      for (const [disguise, linesOf] of Object.entries(DISGUISES))
        expect(await send(service, "/api/service", write(linesOf(77), CLIENT)), disguise).toBe(
          "sentinel.blocked",
        );
      // Nor can anybody have others blocked by writing their address in front.
      expect(await send(service, "/api/service", ["X-Forwarded-For", "198.51.100.1"])).toBe("ok");
      const right = { email, password: PASSWORD };
      service.clock.advanceSeconds(60);
      expect(await send(service, "/api/auth/login", write([], "203.0.113.9"), right)).toBe("ok");
    });
  });

  test.each<[string, (n: number) => string]>([
    ["of one IPv6 customer", (n) => `2001:db8:5:5:${n}::${n}`],
    ["with the port of each connection", (n) => `203.0.113.20:${5000 + n}`],
    ["of one IPv6 customer with ports", (n) => `[2001:db8:6:6::${n}]:${5000 + n}`],
    ["written as IPv4 and inside IPv6", (n) => (n % 2 ? "203.0.113.21" : "::ffff:203.0.113.21")],
    ["that no proxy can have seen", (n) => `evil-${n}`],
  ])("addresses %s count as one origin", async (_, addressOf) => {
    service.clock.advanceSeconds(DAY_SECONDS);
    const codes = await codesOf(LIMIT + 2, (n) =>
      send(service, "/api/service", ["X-Forwarded-For", addressOf(n)]),
    );
    expect(codes).toEqual(LIMITED);
  });
});
