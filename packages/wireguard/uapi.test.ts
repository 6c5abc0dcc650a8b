import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { generatePresharedKey } from "./keys.ts";
import { generateKeyPair } from "./native-keys.ts";
import { openTestInterface, wireguardMissing, withWireguard } from "./testing-interface.ts";
import { connectUapi, parseUapiState, renderUapiSet } from "./uapi.ts";

const device = generateKeyPair();
const other = generateKeyPair();
const presharedKey = generatePresharedKey();
const hex = (key: string) => Buffer.from(key, "base64").toString("hex");

const ANSWER = `private_key=${hex(device.privateKey)}
listen_port=51820
public_key=${hex(device.publicKey)}
preshared_key=${hex(presharedKey)}
protocol_version=1
endpoint=198.18.7.9:4242
last_handshake_time_sec=1795218023
last_handshake_time_nsec=829868881
tx_bytes=18014398509481
rx_bytes=0
persistent_keepalive_interval=25
allowed_ip=10.8.0.2/32
allowed_ip=fd00:8::2/128
public_key=${hex(other.publicKey)}
preshared_key=${"0".repeat(64)}
field_of_tomorrow=1
errno=0

`;

test("an answer is read without its endpoints and its private key", () => {
  const state = parseUapiState(Buffer.from(ANSWER));
  expect(state).toEqual({
    errno: 0,
    listenPort: 51820,
    peers: [
      {
        publicKey: device.publicKey,
        presharedKey,
        allowedIps: ["10.8.0.2/32", "fd00:8::2/128"],
        hasEndpoint: true,
        rxBytes: 0,
        txBytes: 18014398509481,
        lastHandshake: { seconds: 1795218023, nanoseconds: 829868881 },
        persistentKeepaliveSeconds: 25,
      },
      {
        publicKey: other.publicKey,
        allowedIps: [],
        hasEndpoint: false,
        rxBytes: 0,
        txBytes: 0,
        lastHandshake: { seconds: 0, nanoseconds: 0 },
        persistentKeepaliveSeconds: 0,
      },
    ],
  });
});

test("an answer cut short anywhere is none", () => {
  for (let length = 0; length < ANSWER.length - 1; length++) {
    expect(parseUapiState(Buffer.from(ANSWER.slice(0, length)))).toBeUndefined();
  }
});

test("no bytes make the parser throw", () => {
  fc.assert(
    fc.property(fc.nat(ANSWER.length - 1), fc.uint8Array({ maxLength: 3 }), (at, inserted) => {
      const bytes = Buffer.from(ANSWER);
      parseUapiState(Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + 1)]));
    }),
  );
});

test("an error's number is read with either sign", () => {
  expect(parseUapiState(Buffer.from("errno=-22\n\n"))?.errno).toBe(22);
  expect(parseUapiState(Buffer.from("errno=22\n\n"))?.errno).toBe(22);
});

/** Plants an endpoint in an answer and looks for it in all strings of the heap. Its text is made only for the search. */
const HEAP_SCRIPT = `
import { getHeapSnapshot } from "node:v8";
const { parseUapiState } = await import(process.argv[1]);
const [answer, endpoint] = process.argv.slice(2, 4).map((hex) => Buffer.from(hex, "hex"));
globalThis.kept = parseUapiState(answer);
if (process.argv[4] === "leak") globalThis.leaked = answer.toString("latin1", answer.indexOf(endpoint)).split("\\n")[0];
let found = false;
for await (const chunk of getHeapSnapshot()) found ||= Buffer.from(chunk).includes(endpoint);
console.log(globalThis.kept.peers.length, found);
`;

test("no endpoint is in the heap after parsing, and one would be found", async () => {
  const endpoint = `198.18.${randomBytes(1)[0]}.77:${40000 + (randomBytes(1)[0] ?? 0)}`;
  const answer = Buffer.from(ANSWER.replace("198.18.7.9:4242", endpoint)).toString("hex");
  const run = async (mode: string) => {
    const module = new URL("uapi-state.ts", import.meta.url).href;
    const argv = [module, answer, Buffer.from(endpoint).toString("hex"), mode];
    const args = ["--input-type=module", "--eval", HEAP_SCRIPT, "--", ...argv];
    return (await promisify(execFile)(process.execPath, args)).stdout.trim();
  };
  expect(await run("clean")).toBe("2 false");
  expect(await run("leak")).toBe("2 true");
}, 60_000);

test("a change is written as the protocol says", () => {
  const text = renderUapiSet({
    privateKey: device.privateKey,
    listenPort: 51820,
    replacePeers: true,
    peers: [
      {
        publicKey: device.publicKey,
        updateOnly: true,
        presharedKey,
        replaceAllowedIps: true,
        allowedIps: ["10.8.0.2/32", "fd00:8::2/128"],
        persistentKeepaliveSeconds: 0,
      },
      { publicKey: other.publicKey, presharedKey: null },
      { publicKey: other.publicKey, remove: true, allowedIps: ["10.8.0.3/32"] },
    ],
  });
  expect(text).toBe(`set=1
private_key=${hex(device.privateKey)}
listen_port=51820
replace_peers=true
public_key=${hex(device.publicKey)}
update_only=true
preshared_key=${hex(presharedKey)}
replace_allowed_ips=true
allowed_ip=10.8.0.2/32
allowed_ip=fd00:8::2/128
persistent_keepalive_interval=0
public_key=${hex(other.publicKey)}
preshared_key=${"0".repeat(64)}
public_key=${hex(other.publicKey)}
remove=true

`);
});

test("no field can bring a line of its own", () => {
  const { publicKey } = device;
  expect(() => renderUapiSet({ peers: [{ publicKey, allowedIps: ["::/0\nremove=true"] }] })).toThrow(
    "allowed IP",
  );
  expect(() => renderUapiSet({ peers: [{ publicKey, persistentKeepaliveSeconds: -1 }] })).toThrow("16-bit");
  expect(() => renderUapiSet({ listenPort: 65536 })).toThrow("16-bit");
});

describe("the socket", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** A server that answers each request as told; it counts its connections. */
  async function serve(answerOf: (request: string) => string | undefined) {
    const path = join(tmpdir(), `securewave-${randomBytes(6).toString("hex")}.sock`);
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.on("error", () => undefined);
      socket.on("data", (request) => {
        const answer = answerOf(request.toString());
        if (answer === undefined) socket.destroy();
        else for (const byte of answer.match(/.{1,50}/gs) ?? []) socket.write(byte);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return { path, connections: () => connections };
  }

  test("requests made at once are answered in turn over one connection", async () => {
    const { path, connections } = await serve((request) =>
      request.startsWith("get") ? ANSWER : "errno=0\n\n",
    );
    const uapi = connectUapi(path);
    const [state, errno, again] = await Promise.all([uapi.get(), uapi.set({}), uapi.get()]);
    uapi.close();
    expect([state.peers.length, errno, again.peers.length, connections()]).toEqual([2, 0, 2, 1]);
  });

  test("a refused change gives its number, and the next request a new connection", async () => {
    const { path, connections } = await serve((request) =>
      request.startsWith("get") ? ANSWER : "errno=-22\n\n",
    );
    const uapi = connectUapi(path);
    expect(await uapi.set({})).toBe(22);
    expect((await uapi.get()).errno).toBe(0);
    uapi.close();
    expect(connections()).toBe(2);
  });

  test("silence, a hang-up and nonsense are errors without any of the answer in them", async () => {
    const answers = ["", undefined, "endpoint=198.18.7.9:4242\npublic_key=x\nerrno=0\n\n"];
    for (const answer of answers) {
      const { path } = await serve(() => answer);
      const uapi = connectUapi(path, { timeoutMs: 100 });
      await expect(uapi.get()).rejects.toThrow(
        /^the WireGuard control socket (was closed|gave )[^0-9]*(100 ms)?$/,
      );
      uapi.close();
    }
    await expect(connectUapi(join(tmpdir(), "securewave-none.sock")).get()).rejects.toThrow("ENOENT");
  });
});

test.skipIf(wireguardMissing)(withWireguard("wireguard-go takes changes and gives them back"), async () => {
  const open = await openTestInterface();
  const { uapi } = open;
  const publicKeys = async () => (await uapi.get()).peers.map((peer) => peer.publicKey);
  try {
    const peer = { publicKey: device.publicKey, presharedKey, allowedIps: ["10.8.0.2/32", "fd00:8::2/128"] };
    expect(await uapi.set({ privateKey: generateKeyPair().privateKey, listenPort: 0, peers: [peer] })).toBe(
      0,
    );
    const state = await uapi.get();
    expect(state.listenPort).toBeGreaterThan(0);
    expect(state.peers).toMatchObject([peer]);

    const { publicKey } = other;
    await uapi.set({ peers: [{ publicKey, updateOnly: true, allowedIps: ["10.8.0.3/32"] }] });
    expect(await publicKeys()).toEqual([device.publicKey]);
    const moved = {
      publicKey: device.publicKey,
      presharedKey: null,
      replaceAllowedIps: true,
      allowedIps: ["10.8.0.9/32"],
    };
    await uapi.set({ peers: [moved, { publicKey, allowedIps: [] }] });
    const changed = (await uapi.get()).peers.find((one) => one.publicKey === device.publicKey);
    expect(changed?.allowedIps).toEqual(["10.8.0.9/32"]);
    expect(changed?.presharedKey).toBeUndefined();
    await uapi.set({ peers: [{ publicKey: device.publicKey, remove: true }] });
    expect(await publicKeys()).toEqual([publicKey]);
    await uapi.set({ replacePeers: true });
    expect(await publicKeys()).toEqual([]);
  } finally {
    await open.close();
  }
});
