import { createHash } from "node:crypto";
import { type api, type BodyOf, nodeErrors, type ResultOf, requestErrors } from "@securewave/contracts";
import { INSTALLER_PATH } from "@securewave/contracts/agent-release";
import { FINGERPRINT_LENGTH, parseJoinToken } from "@securewave/contracts/node-protocol";
import { constraintOf, type Database } from "@securewave/database";
import { type Clock, dayOf, HOUR_MS } from "@securewave/foundation";
import { createToken, hashToken } from "@securewave/foundation/secret";
import { formatEndpoint, parseEndpoint, parsePublicKey } from "@securewave/wireguard";
import type { Bus } from "../../bus.ts";
import type { Audit } from "../audit/index.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import type { NodeRow } from "./node.ts";
import * as store from "./store.ts";

export interface JoiningOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly identity: ServiceKey;
  /** SHA-256 of the installer that is served at an origin. */
  readonly installerChecksum: (origin: string) => Promise<string>;
}

export type JoinToken = ResultOf<typeof api.nodes.renewJoinToken>;
type Input = BodyOf<typeof api.nodes.join>;

const JOIN_TOKEN_HOURS = 1;

/** How a machine becomes a node: by a token of one use, and from then on by a key of its own. */
export function createJoining(options: JoiningOptions) {
  const { database, clock, bus, audit, identity, installerChecksum } = options;

  async function createJoinToken(origin: string): Promise<{
    stored: Pick<NodeRow, "join_token_hash" | "join_token_expires_at">;
    shown: JoinToken;
  }> {
    const secret = createToken("swj");
    const join_token = `${secret}.${fingerprintOf(identity.publicKey)}`;
    const plain = isPlaintextElsewhere(origin) ? " --allow-plaintext" : "";
    const command = `curl -fsSL ${origin}${INSTALLER_PATH} | sudo sh -s -- --token ${join_token} --endpoint YOUR_SERVER_NAME${plain}`;
    const checksum = await installerChecksum(origin);
    return {
      stored: {
        join_token_hash: hashToken(secret),
        join_token_expires_at: new Date(clock.now() + JOIN_TOKEN_HOURS * HOUR_MS),
      },
      shown: { join_token, command, checksum, expires_in: (JOIN_TOKEN_HOURS * HOUR_MS) / 1000 },
    };
  }

  return {
    createJoinToken,

    /** @throws nodes.not_found */
    async renewJoinToken(id: string, origin: string, actor: string): Promise<JoinToken> {
      const { stored, shown } = await createJoinToken(origin);
      await database.transaction(async (trx) => {
        if (!(await store.updateNode(trx, id, stored))) throw nodeErrors.notFound();
        await audit.record(trx, { kind: "node_join_allowed", actor, subject: id });
      });
      return shown;
    },

    /**
     * Takes a node in: its token is used up, its own key is its credential from here on.
     *
     * @throws nodes.join_token_invalid, request.invalid, nodes.invalid_key, nodes.key_in_use
     */
    async join(input: Input): Promise<ResultOf<typeof api.nodes.join>> {
      const wireguardKey = parsePublicKey(input.wireguard_public_key);
      if (wireguardKey === undefined) throw nodeErrors.invalidKey();
      if (parseEndpoint(formatEndpoint(input.endpoint)) === undefined) {
        throw requestErrors.invalid({
          issues: [{ at: "/endpoint/host", message: "is not a host name or address" }],
        });
      }
      const token = parseJoinToken(input.token);
      if (token?.fingerprint !== fingerprintOf(identity.publicKey)) throw nodeErrors.joinTokenInvalid();
      const joined = {
        credential: input.credential,
        wireguard_public_key: wireguardKey,
        endpoint_host: input.endpoint.host,
        endpoint_port: input.endpoint.port,
        agent_version: input.agent_version,
        joined_on: dayOf(clock.now()),
        cloned_on: null,
        is_credential_due: false,
      };
      const node = await database
        .transaction(async (trx) => {
          const taken = await store.joinNode(trx, hashToken(token.secret), new Date(clock.now()), joined);
          if (taken) await audit.record(trx, { kind: "node_joined", actor: taken.id, subject: taken.id });
          return taken;
        })
        .catch((error: unknown) => {
          throw constraintOf(error)?.startsWith("nodes_") ? nodeErrors.keyInUse() : error;
        });
      if (!node) throw nodeErrors.joinTokenInvalid();
      bus.publish("registry-changed", "nodes");
      bus.publish("node-changed", node.id); // a connection under the former credential ends
      return { node_id: node.id, name: node.name, control_plane_key: identity.publicKey };
    },
  };
}

/** An agent wants to be told that it may speak plain HTTP to another machine. */
function isPlaintextElsewhere(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "http:" && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** What join tokens carry of the control plane's key, so that the agent pins the right one. */
function fingerprintOf(publicKey: string): string {
  return createHash("sha256")
    .update(Buffer.from(publicKey, "base64url"))
    .digest("base64url")
    .slice(0, FINGERPRINT_LENGTH);
}
