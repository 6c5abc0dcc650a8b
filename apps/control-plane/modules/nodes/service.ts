import { createHash } from "node:crypto";
import {
  type api,
  type BodyOf,
  type NodeState,
  nodeErrors,
  type ResultOf,
  requestErrors,
  serverErrors,
} from "@securewave/contracts";
import { FINGERPRINT_LENGTH, parseJoinToken } from "@securewave/contracts/node-protocol";
import { constraintOf, type Database, isUniqueViolation } from "@securewave/database";
import { type Clock, createId, dayOf, HOUR_MS } from "@securewave/foundation";
import { createToken, hashToken } from "@securewave/foundation/secret";
import type { Connections, Presence } from "@securewave/live";
import { formatEndpoint, parseEndpoint, parsePublicKey } from "@securewave/wireguard";
import type { Bus } from "../../bus.ts";
import { createCache } from "../../cache.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import { loadOf, type NodeRow, serverViewOf, stateOf, takesDevices, viewOf } from "./node.ts";
import * as store from "./store.ts";

export interface NodesOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly presence: Presence;
  readonly connections: Connections;
  readonly identity: ServiceKey;
}

export type Nodes = ReturnType<typeof createNodes>;

type NewNode = BodyOf<typeof api.nodes.create>;
type NodeChange = BodyOf<typeof api.nodes.change>;
type Joining = BodyOf<typeof api.nodes.join>;
type JoinToken = ResultOf<typeof api.nodes.renewJoinToken>;

const JOIN_TOKEN_HOURS = 1;
const CAPACITY_DEFAULT = 10_000;

export function createNodes(options: NodesOptions) {
  const { database, clock, bus, audit, presence, connections, identity } = options;
  const { db } = database;
  const directory = createCache(async () => {
    const rows = await store.listAllNodes(db);
    return new Map(rows.map((node) => [node.id, node]));
  }, bus);

  const view = (node: NodeRow) => viewOf(node, presence.of(node.id), connections.countOf(node.id));
  const serverView = (node: NodeRow) => serverViewOf(node, presence.of(node.id));
  const changed = () => bus.publish("registry-changed", "nodes");

  function createJoinToken(origin: string): {
    stored: Pick<NodeRow, "join_token_hash" | "join_token_expires_at">;
    shown: JoinToken;
  } {
    const secret = createToken("swj");
    const join_token = `${secret}.${fingerprintOf(identity.publicKey)}`;
    const plain = isPlaintextElsewhere(origin) ? " --allow-plaintext" : "";
    const command = `npx securewave-node up --control-plane ${origin} --token ${join_token} --endpoint YOUR_SERVER_NAME${plain}`;
    return {
      stored: {
        join_token_hash: hashToken(secret),
        join_token_expires_at: new Date(clock.now() + JOIN_TOKEN_HOURS * HOUR_MS),
      },
      shown: { join_token, command, expires_in: (JOIN_TOKEN_HOURS * HOUR_MS) / 1000 },
    };
  }

  async function get(id: string): Promise<NodeRow> {
    const node = await store.findNode(db, id);
    if (!node) throw nodeErrors.notFound();
    return node;
  }

  return {
    /** Every node by id, at most a moment old. */
    directory: directory.read,

    /**
     * @param origin where the node reaches the control plane: `https://vpn.example.org`
     * @throws nodes.name_in_use
     */
    async create(
      input: NewNode,
      origin: string,
      actor: string,
    ): Promise<{ node: ReturnType<typeof view>; join: JoinToken }> {
      const { stored, shown } = createJoinToken(origin);
      const row = { id: createId("node"), ...input, capacity: input.capacity ?? CAPACITY_DEFAULT, ...stored };
      const node = await database
        .transaction(async (trx) => {
          await audit.record(trx, { kind: "node_created", actor, subject: row.id });
          return store.insertNode(trx, row);
        })
        .catch(refuseTakenName);
      changed();
      return { node: view(node), join: shown };
    },

    /** @throws nodes.not_found */
    async show(id: string) {
      return view(await get(id));
    },

    async list(page: PageRequest) {
      const bounds = boundsOf(page, ["text"]);
      return pageOf(await store.listNodes(db, bounds, false), bounds, ({ name }) => [name], view);
    },

    /** @throws nodes.not_found, nodes.name_in_use */
    async change(id: string, { draining, ...change }: NodeChange, actor: string) {
      const values = draining === undefined ? change : { ...change, is_draining: draining };
      const details = { names: Object.keys(values) };
      const node = await database
        .transaction(async (trx) => {
          const updated = await store.updateNode(trx, id, values);
          if (!updated) throw nodeErrors.notFound();
          await audit.record(trx, { kind: "node_changed", actor, subject: id, details });
          return updated;
        })
        .catch(refuseTakenName);
      changed();
      return view(node);
    },

    /** @throws nodes.not_found */
    async renewJoinToken(id: string, origin: string, actor: string): Promise<JoinToken> {
      const { stored, shown } = createJoinToken(origin);
      await database.transaction(async (trx) => {
        if (!(await store.updateNode(trx, id, stored))) throw nodeErrors.notFound();
        await audit.record(trx, { kind: "node_join_allowed", actor, subject: id });
      });
      return shown;
    },

    /** Leaves out what a node counts, since it said what cannot be. */
    async quarantine(id: string, reason: string): Promise<void> {
      await database.transaction(async (trx) => {
        if (!(await store.updateNode(trx, id, { counting: "quarantined" }))) return;
        await audit.record(trx, {
          kind: "node_quarantined",
          actor: "system",
          subject: id,
          details: { reason },
        });
      });
      changed();
    },

    /** @throws nodes.not_found */
    async trust(id: string, actor: string) {
      const node = await database.transaction(async (trx) => {
        const lifted = await store.liftQuarantine(trx, id);
        if (lifted) await audit.record(trx, { kind: "node_trusted", actor, subject: id });
        return lifted;
      });
      changed();
      return view(node ?? (await get(id)));
    },

    /** A node whose quarantine was lifted has begun to count anew. */
    async countsAnew(id: string): Promise<void> {
      await store.endQuarantine(db, id);
      changed();
    },

    /** @throws nodes.not_found, nodes.not_empty */
    async remove(id: string, actor: string): Promise<void> {
      await get(id);
      await database.transaction(async (trx) => {
        if (!(await store.deleteEmptyNode(trx, id))) throw nodeErrors.notEmpty();
        await audit.record(trx, { kind: "node_removed", actor, subject: id });
      });
      changed();
      bus.publish("node-changed", id);
    },

    /**
     * Takes a node in: its token is used up, its own key is its credential from here on.
     *
     * @throws nodes.join_token_invalid, request.invalid, nodes.invalid_key, nodes.key_in_use
     */
    async join(input: Joining): Promise<ResultOf<typeof api.nodes.join>> {
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
      changed();
      bus.publish("node-changed", node.id); // a connection under the former credential ends
      return { node_id: node.id, name: node.name, control_plane_key: identity.publicKey };
    },

    /** The node for a device whose owner has no wish: of those that take devices, the least loaded. */
    async choose(except: ReadonlySet<string>): Promise<NodeRow | undefined> {
      let best: NodeRow | undefined;
      for (const node of (await directory.read()).values()) {
        const isCandidate = !except.has(node.id) && takesDevices(node, presence.of(node.id));
        if (isCandidate && (!best || loadOf(node) < loadOf(best))) best = node;
      }
      return best;
    },

    /** A device with a node's own key would be refused by WireGuard there. */
    async isKeyOfNode(publicKey: string): Promise<boolean> {
      return [...(await directory.read()).values()].some((node) => node.wireguard_public_key === publicKey);
    },

    async isAvailable(id: string): Promise<boolean> {
      const node = (await directory.read()).get(id);
      return node !== undefined && takesDevices(node, presence.of(id));
    },

    async listServers(page: PageRequest) {
      const bounds = boundsOf(page, ["text"]);
      return pageOf(await store.listNodes(db, bounds, true), bounds, ({ name }) => [name], serverView);
    },

    /** @throws servers.not_found */
    async showServer(id: string) {
      const node = await store.findNode(db, id);
      if (!node || node.joined_on === null) throw serverErrors.notFound();
      return serverView(node);
    },

    /** Counts nodes; in trouble are those that should serve and do not, not those that join or drain. */
    async counts(): Promise<{ nodes: number; healthy: number; inTrouble: number }> {
      const states = [...(await directory.read()).values()].map((node) =>
        stateOf(node, presence.of(node.id)),
      );
      const countOf = (...wanted: NodeState[]) => states.filter((state) => wanted.includes(state)).length;
      return { nodes: states.length, healthy: countOf("healthy"), inTrouble: countOf("degraded", "offline") };
    },

    /** Forgets the removals that connected nodes have applied. */
    async prune(): Promise<void> {
      for (const nodeId of presence.connectedNodes()) {
        const applied = presence.of(nodeId)?.appliedRevision;
        if (applied !== undefined) await store.pruneRemovals(db, nodeId, applied);
      }
    },
  };
}

/** An agent wants to be told that it may speak plain HTTP to another machine. */
function isPlaintextElsewhere(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "http:" && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

function refuseTakenName(error: unknown): never {
  throw isUniqueViolation(error, "nodes_name_key") ? nodeErrors.nameInUse() : error;
}

/** What join tokens carry of the control plane's key, so that the agent pins the right one. */
function fingerprintOf(publicKey: string): string {
  return createHash("sha256")
    .update(Buffer.from(publicKey, "base64url"))
    .digest("base64url")
    .slice(0, FINGERPRINT_LENGTH);
}
