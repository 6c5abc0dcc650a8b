import { createClient } from "@securewave/contracts";
import { decodeKey, parseConfig, publicKeyOf, qrMatrix } from "@securewave/wireguard";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type MockApi, startMockApi } from "../../test/mock-api.ts";
import { createDeviceAdder } from "./add-device.ts";

let mock: MockApi;
let requests: string[];

beforeEach(async () => {
  mock = await startMockApi();
  requests = [];
});
afterEach(() => mock.close());

/** Keeps the session's cookie as a browser does, and notes everything that a request consists of. */
function recordingBrowser(): typeof fetch {
  let cookie = "";
  return async (input, init) => {
    const request = new Request(input, init);
    request.headers.set("cookie", cookie);
    requests.push(
      [request.method, request.url, ...[...request.headers].flat(), await request.clone().text()].join("\n"),
    );
    const response = await fetch(request);
    cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
    return response;
  };
}

async function logIn() {
  const anna = mock.state.addAccount("anna@example.org");
  const node = mock.state.addNode("EU-Frankfurt-1", "Frankfurt");
  let csrfToken: string | undefined;
  const client = createClient({ baseUrl: mock.url, csrfToken: () => csrfToken, fetch: recordingBrowser() });
  const session = await client.session.open({ body: { email: anna.email, password: anna.password } });
  csrfToken = session.csrf_token;
  return { client, node };
}

const phone = {
  name: "Anna’s phone",
  type: "phone",
  place: {},
  keys: { madeBy: "page", isAgreed: false },
} as const;
const noCountry = () => undefined;

test("a private key made in the page is in no request, in no spelling", async () => {
  const { client } = await logIn();
  const { file, device } = await createDeviceAdder(client, noCountry)(phone);
  const config = parseConfig(file.text);
  const key = config?.privateKey;
  expect(key && publicKeyOf(key)).toBe(device.public_key);

  const bytes = Buffer.from(decodeKey(key ?? ""));
  const spellings = ["base64", "base64url", "hex"].map((encoding) =>
    bytes.toString(encoding as BufferEncoding),
  );
  expect(requests.some((request) => request.includes(device.public_key))).toBe(true);
  for (const request of requests) {
    for (const spelling of [...spellings, encodeURIComponent(key ?? "")]) {
      expect(request.toLowerCase()).not.toContain(spelling.toLowerCase());
    }
  }
});

test("an agreed preshared key is the same on both sides, and is in no request and no answer", async () => {
  const { client } = await logIn();
  const keys = { madeBy: "page", isAgreed: true } as const;
  const { file, device } = await createDeviceAdder(client, noCountry)({ ...phone, keys });
  const presharedKey = parseConfig(file.text)?.peer.presharedKey;
  const [held] = mock.state.tunnels.devices;
  expect(presharedKey).toBe(held?.agreedKey);
  expect(device.tunnel).toMatchObject({ preshared_key: null, preshared_key_agreed: true });
  expect(presharedKey).toMatch(/=$/);
  const said = requests.join("\n") + JSON.stringify(device);
  expect(said).toContain("encapsulation_key");
  expect(said).not.toContain(presharedKey);
});

test("an agreement whose answer was lost is made with the same keys again", async () => {
  const { client } = await logIn();
  const sent: unknown[] = [];
  const losing = {
    ...client,
    devices: {
      ...client.devices,
      create: async (input: Parameters<typeof client.devices.create>[0]) => {
        sent.push(input.body);
        const device = await client.devices.create(input);
        if (sent.length === 1) throw new TypeError("the answer was lost");
        return device;
      },
    },
  };
  const add = createDeviceAdder(losing, noCountry);
  const input = { ...phone, keys: { madeBy: "page", isAgreed: true } } as const;
  await expect(add(input)).rejects.toThrow("lost");
  const { file } = await add(input);
  expect(sent[0]).toEqual(sent[1]);
  expect(parseConfig(file.text)?.peer.presharedKey).toBe(mock.state.tunnels.devices[0]?.agreedKey);
});

test("the country goes along where the service chooses, and not with a server", async () => {
  const { client, node } = await logIn();
  const bodies: unknown[] = [];
  const noting = {
    ...client,
    devices: {
      ...client.devices,
      create: (input: Parameters<typeof client.devices.create>[0]) => {
        bodies.push(input.body);
        return client.devices.create(input);
      },
    },
  };
  const add = createDeviceAdder(noting, () => "DE");
  await add(phone);
  await add({ ...phone, name: "Another", place: { server_id: node.id } });
  expect(bodies[0]).toMatchObject({ country: "DE" });
  expect(bodies[1]).not.toHaveProperty("country");
});

test("file and code carry the same text, under a name that every app takes", async () => {
  const { client } = await logIn();
  const { file } = await createDeviceAdder(client, noCountry)(phone);
  expect(file.name).toBe("Anna-s-phone.conf");
  expect(file.qrModules).toBe(qrMatrix(file.text).length);
  const svg = atob(file.qrUrl.slice("data:image/svg+xml;base64,".length));
  expect(svg).toContain(`viewBox="0 0 ${file.qrModules} ${file.qrModules}"`);
});

test("sending again after a lost answer sends the same key", async () => {
  const { client } = await logIn();
  const keys: unknown[] = [];
  let answers = 0;
  const losing = {
    ...client,
    devices: {
      ...client.devices,
      create: async (input: Parameters<typeof client.devices.create>[0]) => {
        keys.push(input.body.public_key);
        if (answers++ === 0) throw new TypeError("the answer was lost");
        return client.devices.create(input);
      },
    },
  };
  const add = createDeviceAdder(losing, noCountry);
  await expect(add(phone)).rejects.toThrow("lost");
  await add(phone);
  expect(keys[0]).toBe(keys[1]);
  await add({ ...phone, name: "Another" });
  expect(keys[2]).not.toBe(keys[1]);
});

test("with keys made by the server, the request names no key and the config comes from there", async () => {
  const { client, node } = await logIn();
  const { device, file } = await createDeviceAdder(
    client,
    noCountry,
  )({
    ...phone,
    place: { server_id: node.id },
    keys: { madeBy: "server", isAgreed: false },
  });
  expect(requests.join("\n")).not.toContain("public_key");
  expect(device.key_origin).toBe("server");
  expect(parseConfig(file.text)?.peer.publicKey).toBe(node.public_key);
});
