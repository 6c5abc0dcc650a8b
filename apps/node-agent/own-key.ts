import type { KeyObject } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { renewalText } from "@securewave/contracts/node-protocol";
import { type Credential, createCredential, publicOf, signingKey, signText } from "./credential.ts";
import { type Identity, writeIdentity } from "./identity.ts";

const FILE = "next-credential";

/**
 * The node's own key. When the control plane asks for another one, that is kept beside the present one until it is known
 * which of both the control plane has taken: an answer can be lost on either way.
 */
export interface OwnKey {
  /** What the next connection is proved by. */
  present(): KeyObject;
  /** Makes another key, keeps it, and gives what the control plane is to be sent. */
  propose(nonce: string): Promise<{ readonly public_key: string; readonly signature: string }>;
  /** The control plane has taken this key: the other one is forgotten. */
  accepted(publicKey: string): Promise<void>;
  /** The control plane has let the node in by the key of the present connection: the other one is forgotten. */
  proved(): Promise<void>;
  /** The control plane does not know the node by the key of the last connection. */
  refused(): void;
}

export async function openOwnKey(stateDir: string, identity: Identity): Promise<OwnKey> {
  const path = join(stateDir, FILE);
  let own = identity.credential;
  let next = await readNext(path, own);
  /** Whether connections are proved by the next key. */
  let triesNext = next !== undefined;

  async function take(privateKey: string): Promise<void> {
    await writeIdentity(stateDir, { ...identity, credential: privateKey });
    own = privateKey;
    await forgetNext();
  }
  async function forgetNext(): Promise<void> {
    next = undefined;
    triesNext = false;
    await rm(path, { force: true });
  }

  return {
    present: () => signingKey(triesNext && next ? next.privateKey : own),
    async propose(nonce) {
      next ??= await keepNext(path, createCredential());
      const text = renewalText(identity.node_id, nonce, next.publicKey);
      return { public_key: next.publicKey, signature: signText(text, signingKey(next.privateKey)) };
    },
    async accepted(publicKey) {
      if (next?.publicKey === publicKey) await take(next.privateKey);
    },
    async proved() {
      if (next === undefined) return;
      if (triesNext) await take(next.privateKey);
      else await forgetNext();
    },
    refused() {
      if (next !== undefined) triesNext = !triesNext;
    },
  };
}

async function readNext(path: string, own: string): Promise<Credential | undefined> {
  const privateKey = await readFile(path, "utf8").catch(() => undefined);
  if (privateKey === undefined || privateKey === own) return undefined;
  try {
    return { privateKey, publicKey: publicOf(privateKey) };
  } catch {
    return undefined; // cut off by a power cut, before anybody was told of it
  }
}

/** On disk for good before anybody is told of it. */
async function keepNext(path: string, credential: Credential): Promise<Credential> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(credential.privateKey);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const dir = await open(join(path, ".."), "r");
  await dir.sync().finally(() => dir.close());
  return credential;
}
