import {
  type api,
  type BodyOf,
  type NodeHealth,
  type NodeState,
  type Node as NodeView,
  nodeErrors,
} from "@securewave/contracts";
import { type Database, isUniqueViolation, type Tables } from "@securewave/database";
import { type Clock, createId } from "@securewave/foundation";
import type { Connections, Presence } from "@securewave/live";
import type { Kysely } from "kysely";
import type { Bus } from "../../bus.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import { createDirectory } from "./directory.ts";
import { createJoining, type JoinToken } from "./joining.ts";
import { type NodeRow, stateOf, viewOf } from "./node.ts";
import { createOutdatedAgents } from "./outdated-agents.ts";
import { createRemoving } from "./removing.ts";
import { createRenewal } from "./renewing.ts";
import * as store from "./store.ts";

export interface NodesOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly presence: Presence;
  readonly connections: Connections;
  readonly identity: ServiceKey;
  /** SHA-256 of the installer that is served at an origin. */
  readonly installerChecksum: (origin: string) => Promise<string>;
  /** Of the agent that is served here. */
  readonly agentVersion?: string;
  /** How a node is at this moment; without it nothing is known of that. */
  readonly healthOf?: (nodeId: string) => NodeHealth | undefined;
}

export type Nodes = ReturnType<typeof createNodes>;

type NewNode = BodyOf<typeof api.nodes.create>;
type NodeChange = BodyOf<typeof api.nodes.change>;

const CAPACITY_DEFAULT = 10_000;

export function createNodes(options: NodesOptions) {
  const { database, clock, bus, audit, presence, connections, agentVersion, healthOf } = options;
  const { db } = database;
  const directory = createDirectory(database, bus);
  const drainFollowers: ((trx: Kysely<Tables>) => Promise<void>)[] = [];

  const outdated = createOutdatedAgents();
  const { createJoinToken, renewJoinToken, join } = createJoining(options);

  /** How nodes are shown. */
  async function viewer(nodes: readonly NodeRow[]) {
    const ids = nodes.map(({ id }) => id);
    const formerPlaces = await store.formerPlacesUntil(db, ids);
    return (node: NodeRow) =>
      viewOf(node, {
        presence: presence.of(node.id),
        connectedCount: connections.countOf(node.id),
        outdatedProtocol: outdated.protocolOf(node.id),
        agentVersion,
        formerPlacesUntil: formerPlaces.get(node.id),
        health: healthOf?.(node.id),
      });
  }
  const view = async (node: NodeRow) => (await viewer([node]))(node);
  const changed = () => bus.publish("registry-changed", "nodes");

  async function get(id: string): Promise<NodeRow> {
    const node = await store.findNode(db, id);
    if (!node) throw nodeErrors.notFound();
    return node;
  }

  return {
    /** Every node by id, at most a moment old. */
    directory: directory.read,
    onDirectoryRead: directory.subscribe,
    noteDevice: directory.noteDevice,

    /** Lets another module take part when a node begins to drain. */
    onDraining(follower: (trx: Kysely<Tables>) => Promise<void>): void {
      drainFollowers.push(follower);
    },

    /**
     * @param origin where the node reaches the control plane: `https://vpn.example.org`
     * @throws nodes.name_in_use
     */
    async create(
      input: NewNode,
      origin: string,
      actor: string,
    ): Promise<{ node: NodeView; join: JoinToken }> {
      const { stored, shown } = await createJoinToken(origin);
      const row = { id: createId("node"), ...input, capacity: input.capacity ?? CAPACITY_DEFAULT, ...stored };
      const node = await database
        .transaction(async (trx) => {
          await audit.record(trx, { kind: "node_created", actor, subject: row.id });
          return store.insertNode(trx, row);
        })
        .catch(refuseTakenName);
      changed();
      return { node: await view(node), join: shown };
    },

    /** Also a node that was removed. @throws nodes.not_found */
    async show(id: string) {
      return view(await get(id));
    },

    /** Those there are, or with `removed` those that were removed. */
    async list({ removed = false, ...page }: PageRequest & { readonly removed?: boolean }) {
      const bounds = boundsOf(page, ["text", "text"]);
      const nodes = await store.listNodes(db, bounds, removed);
      return pageOf(nodes, bounds, ({ name, id }) => [name, id], await viewer(nodes));
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
          if (draining) for (const follow of drainFollowers) await follow(trx);
          return updated;
        })
        .catch(refuseTakenName);
      changed();
      return view(node);
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
      if (node) changed();
      const shown = node ?? (await get(id));
      if (shown.removed_on !== null) throw nodeErrors.notFound();
      return view(shown);
    },

    /** A node whose quarantine was lifted has begun to count anew. */
    async countsAnew(id: string): Promise<void> {
      await store.endQuarantine(db, id);
      changed();
    },

    /** Notes whose agents ask in vain in another version of the protocol. */
    outdated,
    renewJoinToken,
    join,
    renewal: createRenewal({ database, bus, audit }),
    remove: createRemoving({ database, clock, bus, audit }),

    /** A device with a node's own key would be refused by WireGuard there. */
    async isKeyOfNode(publicKey: string): Promise<boolean> {
      return [...(await directory.read()).values()].some((node) => node.wireguard_public_key === publicKey);
    },

    /** Each node's region and state. */
    async states(): Promise<{ region: string; state: NodeState }[]> {
      return [...(await directory.read()).values()].map((node) => ({
        region: node.region,
        state: stateOf(node, presence.of(node.id)),
      }));
    },

    /** Counts nodes; in trouble are those that should serve and do not, not those that join or drain. */
    async counts() {
      const states = [...(await directory.read()).values()].map((node) =>
        stateOf(node, presence.of(node.id)),
      );
      const countOf = (...wanted: NodeState[]) => states.filter((state) => wanted.includes(state)).length;
      return {
        nodes: states.length,
        healthy: countOf("healthy"),
        degraded: countOf("degraded"),
        offline: countOf("offline"),
        inTrouble: countOf("degraded", "offline"),
      };
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

function refuseTakenName(error: unknown): never {
  throw isUniqueViolation(error, "nodes_name_key") ? nodeErrors.nameInUse() : error;
}
