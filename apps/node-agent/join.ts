import { ApiError, createClient } from "@securewave/contracts";
import { parseJoinToken } from "@securewave/contracts/node-protocol";
import { nodes } from "@securewave/contracts/nodes";
import { parseEndpoint, publicKeyOf } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { Compile } from "typebox/compile";
import { createCredential, hasFingerprint } from "./credential.ts";
import { AgentError } from "./errors.ts";
import { type Identity, makeStateDir, readIdentity, writeIdentity } from "./identity.ts";
import { AGENT_VERSION } from "./version.ts";

export const DEFAULT_PORT = 51820;

export interface JoinRequest {
  readonly controlPlane: string;
  /** `swj_<secret>.<fingerprint>` */
  readonly token: string;
  /** Where customers reach the node: `HOST` or `HOST:PORT`. */
  readonly endpoint: string;
  /** Where the node listens when that is not the endpoint's port. */
  readonly listenPort?: number;
  readonly interfaceName: string;
  readonly stateDir: string;
  readonly allowPlaintext?: boolean;
  /** Joins anew. The WireGuard key stays, since customers' configurations name it. */
  readonly replace?: boolean;
}

const joined = Compile(nodes.join.success.schema);

/**
 * Exchanges a join token for a credential of the node's own, and pins the control plane's key.
 *
 * @throws AgentError with what to do
 */
export async function joinControlPlane(request: JoinRequest): Promise<Identity> {
  const { stateDir } = request;
  const controlPlane = checkControlPlane(request.controlPlane, request.allowPlaintext ?? false);
  const token = parseJoinToken(request.token);
  if (token === undefined) {
    throw new AgentError("The join token is incomplete. Copy the whole command from the console once more.");
  }
  const endpoint = parseJoinEndpoint(request.endpoint, request.listenPort);
  const earlier = await readEarlier(stateDir, request.replace ?? false);
  // Before the token is spent.
  await makeStateDir(stateDir);

  const credential = createCredential();
  const privateKey = earlier?.wireguard_private_key ?? generateKeyPair().privateKey;
  const answer: unknown = await createClient({ baseUrl: controlPlane })
    .nodes.join({
      body: {
        token: request.token,
        credential: credential.publicKey,
        wireguard_public_key: publicKeyOf(privateKey),
        endpoint,
        agent_version: AGENT_VERSION,
      },
      signal: AbortSignal.timeout(30_000),
    })
    .catch(explain);
  if (!joined.Check(answer))
    throw new AgentError("What answered is no SecureWave control plane of this version.");
  if (!hasFingerprint(answer.control_plane_key, token.fingerprint)) {
    throw new AgentError(
      "The control plane has another key than the one that the token names: somebody may stand in between. Nothing was kept. Make a new token and use an https:// address.",
    );
  }
  const identity = {
    node_id: answer.node_id,
    name: answer.name,
    control_plane: controlPlane,
    control_plane_key: answer.control_plane_key,
    credential: credential.privateKey,
    wireguard_private_key: privateKey,
    interface: request.interfaceName,
    listen_port: request.listenPort ?? null,
  };
  await writeIdentity(stateDir, identity);
  return identity;
}

async function readEarlier(stateDir: string, replace: boolean): Promise<Identity | undefined> {
  const earlier = await readIdentity(stateDir).catch((error) => {
    if (!replace) throw error;
    return undefined;
  });
  if (earlier !== undefined && !replace) {
    throw new AgentError(
      `This machine has joined already as ${earlier.name}. To join anew, add --replace; to serve, use: securewave-node run`,
    );
  }
  return earlier;
}

/** @returns the origin and path without a slash at the end */
function checkControlPlane(text: string, allowPlaintext: boolean): string {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new AgentError("--control-plane is no web address; it looks like https://vpn.example.org");
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !allowPlaintext) {
    throw new AgentError(
      "http:// would show the join token to everybody on the way. Use https://, or add --allow-plaintext where the way is safe.",
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function parseJoinEndpoint(text: string, listenPort: number | undefined) {
  const isBareIpv6 = text.includes("::") || text.split(":").length > 2;
  const host = isBareIpv6 && !text.startsWith("[") ? `[${text}]` : text;
  const hasPort = /(^|[^:\]]|\]):\d+$/.test(host);
  const endpoint = parseEndpoint(hasPort ? host : `${host}:${listenPort ?? DEFAULT_PORT}`);
  if (endpoint === undefined) {
    throw new AgentError("--endpoint is no host and port; it looks like vpn1.example.org:51820");
  }
  return endpoint;
}

function explain(error: unknown): never {
  if (error instanceof ApiError) throw new AgentError(error.message);
  if (error instanceof DOMException)
    throw new AgentError("The control plane gave no answer within 30 seconds.");
  throw error;
}
