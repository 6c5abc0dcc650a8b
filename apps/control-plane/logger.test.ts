import { invariant } from "@securewave/foundation";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, expect, test } from "vitest";
import { describeError } from "./logger.ts";
import { codeOf, connectNode, openAgentSocket, openTestApp, PASSWORD } from "./testing.ts";

const service = await openTestApp({ jobs: true });
afterAll(() => service.close());

/** RFC 5737, RFC 3849 and RFC 2606: nobody's. */
const CANARIES = ["198.51.100.77", "2001:db8:dead::beef", "canary.example.net", "Mozilla/5.0 (Canary)"];

test("no log line of a whole day's work holds an address, a person, a token or a key", async () => {
  const headers = {
    "x-forwarded-for": CANARIES[0] ?? "",
    forwarded: `for="[${CANARIES[1]}]"`,
    "x-real-ip": CANARIES[0] ?? "",
    host: CANARIES[2] ?? "",
    origin: `https://${CANARIES[2]}`,
    referer: `https://${CANARIES[2]}/${CANARIES[0]}`,
    "user-agent": CANARIES[3] ?? "",
    cookie: `securewave_refresh=${CANARIES[2]}`,
  };
  const node = await connectNode(service);
  const admin = await service.admin();
  const customer = await service.person();
  const { publicKey, privateKey } = generateKeyPair();
  const secrets = [admin.token, customer.token, customer.refreshToken, admin.email, customer.email, PASSWORD];
  secrets.push(
    publicKey,
    privateKey,
    node.identity.publicKey,
    node.identity.controlPlaneKey,
    "new-canary@example.org",
  );

  const { token } = customer;
  const device = await customer.client.devices.create({
    body: { name: "Canary's phone", public_key: publicKey },
  });
  await node.holds(publicKey);
  secrets.push("Canary's phone", device.tunnel?.preshared_key ?? "", ...(device.tunnel?.addresses ?? []));
  node.report([{ public_key: publicKey, received_bytes: 271_828_182, sent_bytes: 314_159_265 }], CANARIES[0]);
  secrets.push("271828182", "314159265");

  const paths = [
    "/api/health",
    `/api/vpn/devices?search=${CANARIES[0]}`,
    `/api/vpn/devices/${CANARIES[0]}`,
    `/api/vpn/devices/named/${CANARIES[0]}?token=${token}`,
    `/${CANARIES[0]}/${CANARIES[1]}`,
    `/%/${CANARIES[0]}`,
    `/api/verify?token=${customer.refreshToken}`,
    `//${CANARIES[2]}/..//${CANARIES[0]}`,
    `/api/docs/${CANARIES[2]}`,
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST", "PUT", "HEAD", "DELETE"])
      await service.send(path, { method, token, headers });
  }
  const bodies = [
    { email: customer.email, password: "wrong" },
    { email: CANARIES[0] },
    { surplus: CANARIES[1] },
  ];
  for (const body of bodies) await service.send("/api/auth/login", { body, headers });
  await service.send("/api/auth/login", { body: `{"email":"${CANARIES[0]}`, headers });
  await service.client().accounts.register({ body: { email: "new-canary@example.org", password: PASSWORD } });
  await service.latestMail("new-canary@example.org");
  await codeOf(customer.client.devices.create({ body: { name: "Other", public_key: publicKey } }));
  await codeOf(admin.client.accounts.create({ body: { email: customer.email, password: PASSWORD } }));

  // What fails inside: the database, a job, a node.
  await service.database.pool.query("alter table devices rename to gone");
  await service.send(`/api/vpn/devices?search=${CANARIES[0]}`, { token, headers });
  await service.send("/api/vpn/devices", {
    token,
    headers,
    body: { name: CANARIES[0], public_key: publicKey },
  });
  await service.database.pool.query("alter table gone rename to devices");
  node.socket().send(`{"type":"${CANARIES[0]}"}`);
  await node.ended();
  const stranger = await openAgentSocket(service);
  stranger.send(CANARIES[0] ?? "");
  await node.connect();
  await admin.client.accounts.change({ params: { id: customer.id }, body: { state: "suspended" } });

  const text = service.logLines.join("");
  expect(text).toContain('"event":"request"');
  expect(text).toContain('"event":"request_failed"');
  expect(text).toContain('"event":"node_misbehaved"');
  expect(text).toContain('"event":"node_connected"');
  const forbidden = [
    ...CANARIES,
    ...secrets,
    "127.0.0.1",
    "::1",
    "localhost",
    "@example",
    "eyJ",
    "swr_",
    "acc_",
    "dev_",
    "ses_",
  ];
  expect(forbidden.filter((part) => text.includes(part))).toEqual([]);
  // Anything of the shape of an address, beyond those that were sent; times are not meant.
  const withoutTimes = text.replace(/"time":"[^"]*"/g, "");
  expect(withoutTimes.match(/\b\d{1,3}(\.\d{1,3}){3}\b/g)).toBeNull();
  expect(withoutTimes.match(/\b(?:[0-9a-f]{1,4}:){3,}/gi)).toBeNull();
});

test("a log line has no field beyond those on the list, and names routes by their pattern", () => {
  const fields = new Set(service.logLines.flatMap((line) => Object.keys(JSON.parse(line))));
  const allowed = ["level", "time", "event", "method", "route", "status", "milliseconds", "code", "internal"];
  allowed.push("nodeId", "revision", "count", "job", "error");
  expect([...fields].filter((field) => !allowed.includes(field))).toEqual([]);
  const routes = new Set(service.logLines.map((line) => JSON.parse(line).route).filter(Boolean));
  for (const route of routes) expect(route).toMatch(/^(none|\/[a-z:/.-]*)$/);
});

test("of an error that others made, only its kind and place are logged; what a bug says of itself is", () => {
  const secret = "198.51.100.77";
  class OddError extends Error {
    code = "EODD";
  }
  const described = JSON.stringify([
    describeError(new Error(`connect to ${secret}`)),
    describeError(new OddError(secret)),
    describeError(secret),
    describeError({ secret }),
    describeError(new AggregateError([new Error(secret)], secret)),
    describeError(new Error("outer", { cause: new Error(secret) })),
    describeError(undefined),
  ]);
  expect(described).not.toContain(secret);
  expect(described).toContain("EODD");
  let bug: unknown;
  try {
    invariant(false, "a promise of ours");
  } catch (error) {
    bug = error;
  }
  expect(describeError(bug).error).toContain("a promise of ours");
});
