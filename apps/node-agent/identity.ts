import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Ed25519Key, Id, Nullable, Strict, WireGuardKey } from "@securewave/contracts/schemas";
import { type PrivateKey, parsePrivateKey } from "@securewave/wireguard";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { AgentError } from "./errors.ts";

const FILE = "node.json";
const FORMAT = 1;

const Identity = Strict({
  format: Type.Literal(FORMAT),
  node_id: Id("node"),
  name: Type.String(),
  control_plane: Type.String(),
  control_plane_key: Ed25519Key,
  credential: Type.String({ pattern: "^[A-Za-z0-9_-]{60,100}$", description: "PKCS #8 DER in base64url" }),
  wireguard_private_key: WireGuardKey,
  interface: Type.String({ pattern: "^[a-zA-Z][a-zA-Z0-9_]{0,14}$" }),
  listen_port: Nullable(Type.Integer({ minimum: 1, maximum: 65535 })),
});
const identity = Compile(Identity);

/** Who this node is, and whom it trusts. What `join` writes and `run` reads. */
export interface Identity extends Omit<Static<typeof Identity>, "format" | "wireguard_private_key"> {
  readonly wireguard_private_key: PrivateKey;
}

/**
 * Undefined when the node has not joined.
 *
 * @throws AgentError when there is a file that cannot be understood
 */
export async function readIdentity(stateDir: string): Promise<Identity | undefined> {
  const path = join(stateDir, FILE);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new AgentError(`${path} cannot be read. Run this program as the user that joined, usually root.`);
  });
  if (text === undefined) return undefined;
  const found = parseIdentity(text);
  if (found === undefined) {
    throw new AgentError(
      `${path} is damaged. Put it back from a copy, or join again with --replace and a new token.`,
    );
  }
  return found;
}

function parseIdentity(text: string): Identity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!identity.Check(value)) return undefined;
    const { format: _, wireguard_private_key, ...rest } = value;
    const privateKey = parsePrivateKey(wireguard_private_key);
    return privateKey && { ...rest, wireguard_private_key: privateKey };
  } catch {
    return undefined;
  }
}

/** Written whole or not at all, also through a power cut. */
export async function writeIdentity(stateDir: string, value: Identity): Promise<void> {
  const path = join(stateDir, FILE);
  const temporary = `${path}.new`;
  await makeStateDir(stateDir);
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ format: FORMAT, ...value }, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const dir = await open(stateDir, "r");
  await dir.sync().finally(() => dir.close());
}

/** Makes the folder for the node's keys, or takes rights away from an existing one. */
export async function makeStateDir(stateDir: string): Promise<void> {
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    await chmod(stateDir, 0o700);
  } catch {
    throw new AgentError(
      `The folder ${stateDir} cannot be made or changed. Run with sudo, or name another with --state-dir.`,
    );
  }
}

export async function removeIdentity(stateDir: string): Promise<void> {
  await rm(join(stateDir, FILE), { force: true });
}
