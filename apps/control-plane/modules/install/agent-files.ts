import { createHash, sign } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { AgentArchive, type AgentRelease, releaseText } from "@securewave/contracts/agent-release";
import { invariant } from "@securewave/foundation";
import { Compile } from "typebox/compile";
import type { ServiceKey } from "../service-keys/index.ts";
import { installerOf } from "./installer.ts";

const wellFormed = Compile(AgentArchive);

export interface AgentFilesOptions {
  /** Holds `deploy/node.sh`; and `dist/securewave-node.tar.gz` and `.json` once the agent was built. */
  readonly agentDir: string;
  /** The key that nodes pin. */
  readonly identity: ServiceKey;
}

export type AgentFiles = ReturnType<typeof createAgentFiles>;

/** What VPN servers are installed from. Files are read when they are asked for, since a build may replace them. */
export function createAgentFiles({ agentDir, identity }: AgentFilesOptions) {
  const inDist = (name: string) => join(agentDir, "dist", name);

  async function describe(): Promise<AgentArchive | undefined> {
    const text = await readFile(inDist("securewave-node.json"), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const archive: unknown = JSON.parse(text);
    invariant(wellFormed.Check(archive), "the build describes the agent's archive as agreed");
    return archive;
  }

  async function installer(origin: string): Promise<{ text: string; sha256: string }> {
    const template = await readFile(join(agentDir, "deploy/node.sh"), "utf8");
    const text = installerOf(template, origin, await describe());
    return { text, sha256: createHash("sha256").update(text).digest("hex") };
  }

  return {
    /** @param origin where the node reaches the control plane */
    installer,

    /** Undefined when no agent was built. */
    async release(): Promise<AgentRelease | undefined> {
      const archive = await describe();
      if (archive === undefined) return undefined;
      const signature = sign(null, Buffer.from(releaseText(archive)), identity.privateKey);
      return { ...archive, signature: signature.toString("base64url") };
    },

    /** The archive's bytes from disk; undefined when no agent was built. */
    async archive(): Promise<(AgentArchive & { read(): Readable }) | undefined> {
      const described = await describe();
      if (described === undefined) return undefined;
      const path = inDist("securewave-node.tar.gz");
      return { ...described, read: () => createReadStream(path) };
    },
  };
}
