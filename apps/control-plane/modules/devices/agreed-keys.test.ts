import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { openPuncturableFile } from "@securewave/forgetting";
import { eventually } from "@securewave/testing/eventually";
import { parseConfig } from "@securewave/wireguard";
import { type Agreement, generateAgreement, openAgreement } from "@securewave/wireguard/agreed-keys";
import { afterAll, describe, expect, test } from "vitest";
import { dataKeyPathsOf } from "../../config.ts";
import { codeOf, type Person } from "../../testing.ts";
import { createDataKeys } from "../data-keys/index.ts";
import { createPeers } from "./peers.ts";
import { freshKey, openKeyScene } from "./testing-keys.ts";
import { createTunnels } from "./tunnel.ts";

const { service, first, second, passDays, renew, retire } = await openKeyScene();
afterAll(() => service.close());

type Client = Person["client"];

interface Answer {
  readonly id: string;
  readonly public_key: string;
  readonly ciphertext?: string;
}

/** What a device makes of an answer. */
function opened({ seed }: Agreement, { id, public_key, ciphertext }: Answer) {
  return openAgreement(seed, ciphertext ?? "", { deviceId: id, publicKey: public_key });
}

async function agreedPhone(client: Client, public_key: string = freshKey()) {
  const agreement = generateAgreement();
  const body = {
    name: "Phone",
    server_id: first.identity.id,
    public_key,
    encapsulation_key: agreement.encapsulationKey,
  };
  const device = await client.devices.create({ body });
  return { device, body, agreement, params: { id: device.id }, presharedKey: opened(agreement, device) };
}

/** Of a peer, once the node has it. */
async function heldBy(node: typeof first, publicKey: string, presharedKey: string | undefined) {
  expect(presharedKey).toBeDefined();
  await eventually(async () => expect((await node.holds(publicKey)).presharedKey).toBe(presharedKey));
}

/** What a control plane that starts anew reads for a node. */
async function readAnew(node: typeof first) {
  const { config, database } = service;
  const { tunnels } = config;
  const pools = { v4: tunnels.poolV4, v6: tunnels.poolV6 };
  const keys = await openPuncturableFile({ paths: dataKeyPathsOf(config), create: false });
  const masterKeys = [{ number: 1, key: new Uint8Array(32) }];
  const source = createPeers({
    database,
    dataKeys: createDataKeys({ database, keys }),
    tunnels: createTunnels({ pools, ...tunnels, masterKeys }),
  });
  const entries = await source.readChanges(node.identity.id, -1);
  return new Map(entries.map(({ publicKey, spec }) => [publicKey, spec]));
}

describe("a device that sends an encapsulation key", () => {
  test("makes its preshared key itself: device and node have it, and the answer does not", async () => {
    const { client } = await service.person();
    const { device, params, presharedKey } = await agreedPhone(client);
    expect(device.tunnel).toMatchObject({ preshared_key: null, preshared_key_agreed: true });
    await heldBy(first, device.public_key, presharedKey);
    const shown = await client.devices.show({ params });
    expect(shown.tunnel).toEqual(device.tunnel);
    expect(shown).not.toHaveProperty("ciphertext");
    expect(await codeOf(client.devices.config({ params }))).toBe("devices.private_key_not_held");
  });

  test("has it in no table and in no log line that could be read without its account's key", async () => {
    const { client } = await service.person();
    const { device, presharedKey = "" } = await agreedPhone(client);
    const row = await service.database.db
      .selectFrom("devices")
      .selectAll()
      .where("id", "=", device.id)
      .executeTakeFirstOrThrow();
    expect(row.preshared_key_master).toBeNull();
    const sealed = row.preshared_key_sealed ?? Buffer.alloc(0);
    expect(sealed.length).toBeGreaterThan(32);
    for (const secret of [Buffer.from(presharedKey), Buffer.from(presharedKey, "base64")])
      expect(sealed.includes(secret)).toBe(false);
    for (const secret of [presharedKey, device.ciphertext ?? ""])
      expect(service.logLines.some((line) => line.includes(secret))).toBe(false);
  });

  test("and asks again, since the answer was lost, has what the last answer says", async () => {
    const { client } = await service.person();
    const { device, body, presharedKey } = await agreedPhone(client);
    const again = generateAgreement();
    const repeated = await client.devices.create({
      body: { ...body, encapsulation_key: again.encapsulationKey },
    });
    expect(repeated.id).toBe(device.id);
    expect(opened(again, repeated)).not.toBe(presharedKey);
    await heldBy(first, device.public_key, opened(again, repeated));
    const { name, ...rest } = body;
    const third = generateAgreement();
    const ensured = await client.devices.ensure({
      params: { name },
      body: { ...rest, encapsulation_key: third.encapsulationKey },
    });
    expect(ensured.id).toBe(device.id);
    await heldBy(first, device.public_key, opened(third, ensured));
    expect(ensured.key_version).toBe(1);
  });

  test("eight at once end with a key that one of the answers gives", async () => {
    const { client } = await service.person();
    const { device, body } = await agreedPhone(client);
    const keys = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const agreement = generateAgreement();
        const encapsulation_key = agreement.encapsulationKey;
        return opened(agreement, await client.devices.create({ body: { ...body, encapsulation_key } }));
      }),
    );
    expect(new Set(keys).size).toBe(8);
    await eventually(async () => expect(keys).toContain((await first.holds(device.public_key)).presharedKey));
  });

  test("and agrees anew while it moves, has the same key on both servers", async () => {
    const { client } = await service.person();
    const { device, params, presharedKey } = await agreedPhone(client);
    const moved = await client.devices.move({ params, body: { server_id: second.identity.id } });
    expect(moved.tunnel).toMatchObject({ preshared_key: null, preshared_key_agreed: true });
    await heldBy(second, device.public_key, presharedKey);
    const again = generateAgreement();
    const answer = await client.devices.rotate({
      params,
      body: { public_key: device.public_key, encapsulation_key: again.encapsulationKey },
    });
    expect(answer).toMatchObject({ key_version: 1, retiring: [{ public_key: device.public_key }] });
    for (const node of [first, second]) await heldBy(node, device.public_key, opened(again, answer));
  });

  test("of a name that another key has is told of that key, and agrees nothing", async () => {
    const { client } = await service.person();
    const { device, body, presharedKey } = await agreedPhone(client);
    const { name, ...rest } = body;
    const other = await client.devices.ensure({
      params: { name },
      body: { ...rest, public_key: freshKey() },
    });
    expect(other.public_key).toBe(device.public_key);
    expect(other).not.toHaveProperty("ciphertext");
    await heldBy(first, device.public_key, presharedKey);
  });

  test("is refused without a key of its own, and with one that FIPS 203 §7.2 refuses", async () => {
    const { client } = await service.person();
    const { params } = await agreedPhone(client);
    const { encapsulationKey: encapsulation_key } = generateAgreement();
    expect(await codeOf(client.devices.create({ body: { name: "A", encapsulation_key } }))).toBe(
      "devices.needs_own_key",
    );
    for (const name of ["A", "Phone"])
      expect(await codeOf(client.devices.ensure({ params: { name }, body: { encapsulation_key } }))).toBe(
        "devices.needs_own_key",
      );
    expect(await codeOf(client.devices.rotate({ params, body: { encapsulation_key } }))).toBe(
      "devices.needs_own_key",
    );
    const beyond = { public_key: freshKey(), encapsulation_key: `${"/".repeat(2090)}8=` };
    expect(await codeOf(client.devices.create({ body: { name: "A", ...beyond } }))).toBe(
      "devices.invalid_encapsulation_key",
    );
    expect(await codeOf(client.devices.rotate({ params, body: beyond }))).toBe(
      "devices.invalid_encapsulation_key",
    );
    const short = { ...beyond, encapsulation_key: encapsulation_key.slice(4) };
    expect(await codeOf(client.devices.create({ body: { name: "A", ...short } }))).toBe("request.invalid");
    expect((await client.devices.list()).items).toHaveLength(1);
  });
});

describe("a new key", () => {
  test("has a preshared key of its own, and the former one keeps its own while it retires", async () => {
    const { client } = await service.person();
    const { device, params, presharedKey } = await agreedPhone(client);
    await heldBy(first, device.public_key, presharedKey);
    const agreement = generateAgreement();
    const body = { public_key: freshKey(), encapsulation_key: agreement.encapsulationKey };
    const rotated = await client.devices.rotate({ params, body });
    expect(rotated).toMatchObject({ public_key: body.public_key, key_version: 2 });
    await heldBy(first, body.public_key, opened(agreement, rotated));
    await client.devices.move({ params, body: { server_id: second.identity.id } });
    await heldBy(second, body.public_key, opened(agreement, rotated));
    await heldBy(first, device.public_key, presharedKey);
    expect((await readAnew(first)).get(device.public_key)?.preshared_key).toBe(presharedKey);
  });

  test("is not weaker than the one before: without an encapsulation key it is refused", async () => {
    const { client } = await service.person();
    const { device, params, presharedKey } = await agreedPhone(client);
    const rotate = (body: object) => codeOf(client.devices.rotate({ params, body }));
    expect(await rotate({})).toBe("devices.agreement_needed");
    expect(await rotate({ public_key: freshKey() })).toBe("devices.agreement_needed");
    const same = await client.devices.rotate({ params, body: { public_key: device.public_key } });
    expect(same.key_version).toBe(1);
    await heldBy(first, device.public_key, presharedKey);
  });

  test("may be the first with an agreed one, also in place of a key that the service made", async () => {
    const { client } = await service.person();
    const { params } = await client.devices
      .create({ body: { name: "Phone", server_id: first.identity.id } })
      .then(({ id }) => ({ params: { id } }));
    const agreement = generateAgreement();
    const body = { public_key: freshKey(), encapsulation_key: agreement.encapsulationKey };
    const rotated = await client.devices.rotate({ params, body });
    expect(rotated.tunnel?.preshared_key_agreed).toBe(true);
    await heldBy(first, body.public_key, opened(agreement, rotated));
  });

  test("that the same answer was lost of agrees anew, and counts once", async () => {
    const { client } = await service.person();
    const { params } = await agreedPhone(client);
    const public_key = freshKey();
    const asked = Array.from({ length: 4 }, async () => {
      const agreement = generateAgreement();
      const body = { public_key, encapsulation_key: agreement.encapsulationKey };
      return opened(agreement, await client.devices.rotate({ params, body }));
    });
    const keys = await Promise.all(asked);
    expect(new Set(keys).size).toBe(4);
    await eventually(async () => expect(keys).toContain((await first.holds(public_key)).presharedKey));
    expect((await client.devices.show({ params })).key_version).toBe(2);
  });

  test("is its owner's to make: the clock leaves the present one alone", async () => {
    const person = await service.person();
    const { device, params } = await agreedPhone(person.client);
    passDays(120);
    await renew();
    await retire();
    const { client } = await service.logIn(person.email);
    expect((await client.devices.show({ params })).public_key).toBe(device.public_key);
  });
});

describe("what was agreed", () => {
  test("is forgotten with the device", async () => {
    const { client } = await service.person();
    const { device, params } = await agreedPhone(client);
    const body = { public_key: freshKey(), encapsulation_key: generateAgreement().encapsulationKey };
    await client.devices.rotate({ params, body });
    await client.devices.revoke({ params });
    await Promise.all([first.lacks(device.public_key), first.lacks(body.public_key)]);
    const { rows } = await service.database.pool.query(
      `select preshared_key_sealed from devices where id = $1
       union all select preshared_key_sealed from retiring_keys where device_id = $1`,
      [device.id],
    );
    expect(rows).toEqual([{ preshared_key_sealed: null }]);
  });

  test("comes back with an account that was suspended", async () => {
    const { client, id } = await service.person();
    const { device, presharedKey } = await agreedPhone(client);
    const admin = await service.logIn((await service.admin()).email);
    await admin.client.accounts.change({ params: { id }, body: { state: "suspended" } });
    await first.lacks(device.public_key);
    await admin.client.accounts.change({ params: { id }, body: { state: "active" } });
    await heldBy(first, device.public_key, presharedKey);
  });

  test("that was damaged keeps its own device out, and no other", async () => {
    const { client } = await service.person();
    const { device } = await agreedPhone(client);
    const { device: other, presharedKey } = await agreedPhone((await service.person()).client);
    await service.database.pool.query(
      "update devices set preshared_key_sealed = set_byte(preshared_key_sealed, 20, (get_byte(preshared_key_sealed, 20) + 1) % 256) where id = $1",
      [device.id],
    );
    const specs = await readAnew(first);
    expect(specs.get(device.public_key)).toBeUndefined();
    expect(specs.get(other.public_key)?.preshared_key).toBe(presharedKey);
  });

  test("opens for no other device and no other key", async () => {
    const { client } = await service.person();
    const { device, agreement, presharedKey } = await agreedPhone(client);
    expect(opened(agreement, { ...device, public_key: freshKey() })).not.toBe(presharedKey);
    expect(opened(agreement, { ...device, id: "dev_other" })).not.toBe(presharedKey);
  });
});

test("the client in docs/devices.md makes a config that its server has the keys of", async () => {
  const { client, token } = await service.person();
  const document = readFileSync(new URL("../../../../docs/devices.md", import.meta.url), "utf8");
  const [, program = ""] = /```js\n(.*?)```/s.exec(document) ?? [];
  const args = ["--input-type=module", "--eval", program, "--", "agreed-key.mjs", service.baseUrl, token];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const config = parseConfig(stdout);
  const [device] = (await client.devices.list()).items;
  const node = device?.server?.id === first.identity.id ? first : second;
  expect(config?.peer.publicKey).toBe(node.identity.publicKey);
  await heldBy(node, device?.public_key ?? "", config?.peer.presharedKey);
});
