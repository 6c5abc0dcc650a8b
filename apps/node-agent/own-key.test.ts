import { createPublicKey, verify } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renewalText } from "@securewave/contracts/node-protocol";
import { createId } from "@securewave/foundation";
import { temporaryDir } from "@securewave/testing/temporary";
import { generateKeyPair } from "@securewave/wireguard";
import { afterEach, expect, test } from "vitest";
import { createCredential, publicOf, verifyingKey } from "./credential.ts";
import { type Identity, readIdentity, writeIdentity } from "./identity.ts";
import { openOwnKey } from "./own-key.ts";

const NONCE = "n".repeat(43);
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function joined(): Promise<{ dir: string; identity: Identity }> {
  const dir = temporaryDir("own-key");
  closing.push(dir.remove);
  const identity: Identity = {
    node_id: createId("node"),
    name: "One",
    control_plane: "https://vpn.example.org",
    control_plane_key: createCredential().publicKey,
    credential: createCredential().privateKey,
    wireguard_private_key: generateKeyPair().privateKey,
    interface: "sw0",
    listen_port: null,
  };
  await writeIdentity(dir.path, identity);
  return { dir: dir.path, identity };
}

const presentOf = (key: { present(): import("node:crypto").KeyObject }) =>
  createPublicKey(key.present()).export({ format: "jwk" }).x;

test("a new credential is proposed with the proof that it is held, and taken when the control plane says so", async () => {
  const { dir, identity } = await joined();
  const key = await openOwnKey(dir, identity);
  const { public_key, signature } = await key.propose(NONCE);
  const text = Buffer.from(renewalText(identity.node_id, NONCE, public_key));
  expect(verify(null, text, verifyingKey(public_key), Buffer.from(signature, "base64url"))).toBe(true);
  expect(presentOf(key)).toBe(publicOf(identity.credential));
  await key.accepted(createCredential().publicKey); // of somebody else: nothing happens
  expect(presentOf(key)).toBe(publicOf(identity.credential));
  await key.accepted(public_key);
  expect(presentOf(key)).toBe(public_key);
  expect(publicOf((await readIdentity(dir))?.credential ?? "")).toBe(public_key);
  expect(existsSync(join(dir, "next-credential"))).toBe(false);
});

test("an agent that is killed before it hears the answer finds out which of both keys holds", async () => {
  const { dir, identity } = await joined();
  const { public_key } = await (await openOwnKey(dir, identity)).propose(NONCE);

  const taken = await openOwnKey(dir, (await readIdentity(dir)) as Identity);
  expect(presentOf(taken)).toBe(public_key); // the new one first
  await taken.proved();
  expect(publicOf((await readIdentity(dir))?.credential ?? "")).toBe(public_key);

  const { public_key: third } = await (await openOwnKey(dir, (await readIdentity(dir)) as Identity)).propose(
    NONCE,
  );
  const unknown = await openOwnKey(dir, (await readIdentity(dir)) as Identity);
  expect(presentOf(unknown)).toBe(third);
  unknown.refused();
  expect(presentOf(unknown)).toBe(public_key);
  await unknown.proved();
  expect(existsSync(join(dir, "next-credential"))).toBe(false);
  expect(publicOf((await readIdentity(dir))?.credential ?? "")).toBe(public_key);
});

test("a proposal that is asked for twice is of one key, and a file cut off in the middle is no key", async () => {
  const { dir, identity } = await joined();
  const key = await openOwnKey(dir, identity);
  const [first, second] = [await key.propose(NONCE), await key.propose("m".repeat(43))];
  expect(second.public_key).toBe(first.public_key);
  await writeFile(join(dir, "next-credential"), "MC4C");
  const reopened = await openOwnKey(dir, identity);
  expect(presentOf(reopened)).toBe(publicOf(identity.credential));
});
