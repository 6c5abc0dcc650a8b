/** How the control plane gives its agent to VPN servers. */
import { type Static, Type } from "typebox";
import { Strict } from "./schemas.ts";

/** The script that installs the agent. */
export const INSTALLER_PATH = "/install/node.sh";
/** What `AgentRelease` describes: a tar archive by gzip with one folder, `securewave-node`. */
export const AGENT_ARCHIVE_PATH = "/install/agent.tar.gz";
export const AGENT_RELEASE_PATH = "/install/agent.json";
/** Several times what an archive has. */
export const AGENT_ARCHIVE_BYTES_MAX = 512 * 1024 * 1024;

const Description = {
  version: Type.String({ maxLength: 40, pattern: "^\\d+\\.\\d+\\.\\d+(?:-[0-9A-Za-z.]+)?$" }),
  /** Such as `linux-x64`. */
  platform: Type.String({ maxLength: 40, pattern: "^[0-9a-z-]+$" }),
  sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  size: Type.Integer({ minimum: 1, maximum: AGENT_ARCHIVE_BYTES_MAX, description: "Bytes" }),
};

/** The archive of an agent that was built. */
export const AgentArchive = Strict(Description);
export type AgentArchive = Static<typeof AgentArchive>;

/** The agent that a control plane has to give. */
export const AgentRelease = Strict({
  ...Description,
  signature: Type.String({
    pattern: "^[A-Za-z0-9_-]{86}$",
    description: "Ed25519, by the key that nodes pinned, of `releaseText`",
  }),
});
export type AgentRelease = Static<typeof AgentRelease>;

/** What is signed of a release. Its first line differs from that of `authenticationText`, so that neither serves for the other. */
export function releaseText({ version, platform, sha256 }: Omit<AgentArchive, "size">): string {
  return ["securewave-agent-v1", version, platform, sha256].join("\n");
}
