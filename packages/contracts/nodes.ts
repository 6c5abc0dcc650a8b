import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import {
  Country,
  Day,
  Ed25519Key,
  HumanText,
  Id,
  IdParams,
  Nothing,
  Nullable,
  OneOf,
  pagesOf,
  SearchQuery,
  Strict,
  Tags,
  WireGuardKey,
} from "./schemas.ts";

export const nodeErrors = defineErrors("nodes", {
  notFound: { status: 404, message: "There is no such node." },
  nameInUse: { status: 409, message: "A node with this name exists already." },
  notEmpty: { status: 409, message: "Devices still use this node. Move or revoke them first." },
  stillUsed: {
    status: 409,
    message: "Devices that were moved away can still use this node. Wait for the day, or remove it now.",
  },
  joinTokenInvalid: {
    status: 403,
    message: "This join token is not valid: it was used, has expired, or belongs to another service.",
  },
  invalidKey: { status: 422, message: "The WireGuard public key is not a valid one." },
  keyInUse: { status: 409, message: "Another node has this key." },
});

export const serverErrors = defineErrors("servers", {
  notFound: { status: 404, message: "There is no such server." },
});

const Name = Type.String({
  pattern: "^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38}[A-Za-z0-9])?$",
  description: "Letters, digits and hyphens: `US-East-1`",
});
const Latitude = Type.Number({ minimum: -90, maximum: 90 });
const Longitude = Type.Number({ minimum: -180, maximum: 180 });
const EndpointHost = Type.String({
  minLength: 1,
  maxLength: 253,
  pattern: "^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$",
  description: "Host name or address that customers reach",
});
const EndpointPort = Type.Integer({ minimum: 1, maximum: 65535 });

/** `joining`: has not joined yet. `degraded`: connected, but not (yet) in the state it should be in. */
export const NodeState = OneOf(["joining", "healthy", "degraded", "draining", "offline", "removed"]);
export type NodeState = Static<typeof NodeState>;

const Share = Type.Number({ minimum: 0, maximum: 1 });

/** How a node is at a moment: from memory, in steps, with nobody in it. */
const Health = Strict({
  processor: Nullable({ ...Share, description: "0…1, of the machine" }),
  memory: Nullable({ ...Share, description: "0…1, of the machine" }),
  throughput: Nullable(
    Type.String({ description: "Both directions of all devices together, as a range: `10–30 Mbit/s`" }),
  ),
  troubles: Nullable(Type.Integer({ description: "Packets dropped in the five seconds before" })),
  connected: Type.String({ description: "Devices connected, as a range" }),
  handshake_ms: Nullable(Type.Number({ description: "How long a handshake with it took from here" })),
  echo_ms: Nullable(Type.Number({ description: "How long an echo through the tunnel took from here" })),
  probes_lost: Nullable({ ...Share, description: "0…1, of the last ten probes" }),
});

const HealthSample = Strict({
  age_seconds: Type.Integer({ minimum: 0 }),
  ...Health.properties,
});

export const Node = Strict({
  id: Id("node"),
  name: Name,
  region: HumanText(40),
  latitude: Nullable(Latitude),
  longitude: Nullable(Longitude),
  capacity: Type.Integer({ description: "Devices it may hold" }),
  tags: Tags,
  state: NodeState,
  problem: Nullable(Type.String({ description: "What is wrong, and what to do" })),
  endpoint: Nullable(Strict({ host: EndpointHost, port: EndpointPort })),
  public_key: Nullable(WireGuardKey),
  devices: Type.Integer({ description: "Devices assigned to it" }),
  connected: Type.String({ description: "Devices connected at this moment, as a range" }),
  revision: Type.Integer({ description: "Of the state it should have" }),
  draining: Type.Boolean({ description: "Also while its state is another, as that of one that is offline" }),
  quarantined: Type.Boolean({
    description: "It reported what cannot be; what it counts is left out until it is trusted again",
  }),
  applied_revision: Nullable(
    Type.Integer({ description: "Of the state it said it has; null while offline" }),
  ),
  agent_version: Nullable(Type.String()),
  agent_is_current: Nullable(
    Type.Boolean({ description: "Whether its agent is the one that is served here" }),
  ),
  joined_on: Nullable(Day),
  removed_on: Nullable(Day),
  former_places_until: Nullable({
    ...Day,
    description: "Devices that were moved away can use it until the end of this day (UTC); null: none can",
  }),
  health: Nullable(Health),
});
export type NodeHealth = Static<typeof Health>;
export type NodeHealthSample = Static<typeof HealthSample>;
export type Node = Static<typeof Node>;

const NewNode = Strict({
  name: Name,
  region: HumanText(40),
  latitude: Type.Optional(Latitude),
  longitude: Type.Optional(Longitude),
  capacity: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000_000, description: "10,000 for a new node" }),
  ),
  tags: Type.Optional(Tags),
});

const NodeChange = Strict(
  {
    name: Type.Optional(Name),
    region: Type.Optional(HumanText(40)),
    latitude: Type.Optional(Latitude),
    longitude: Type.Optional(Longitude),
    capacity: Type.Optional(NewNode.properties.capacity),
    tags: Type.Optional(Tags),
    draining: Type.Optional(
      Type.Boolean({
        description:
          "A draining node is given no new devices; those it has are moved, their owners are told, and their former configs work for seven days more",
      }),
    ),
  },
  { minProperties: 1 },
);

const JoinToken = Strict({
  join_token: Type.String({ description: "For one use; shown once" }),
  command: Type.String({ description: "What to run on the VPN server" }),
  checksum: Type.String({ description: "SHA-256 of the script that the command fetches" }),
  expires_in: Type.Integer({ description: "Seconds" }),
});

export const nodes = {
  list: defineRoute({
    method: "GET",
    path: "/api/admin/nodes",
    access: "staff",
    scope: "fleet:read",
    tag: "nodes",
    summary: "Lists nodes by name",
    ...pagesOf(Node, {
      ...SearchQuery,
      removed: Type.Optional(Type.Boolean({ description: "Those that were removed, and only those" })),
    }),
    errors: [],
  }),
  create: defineRoute({
    method: "POST",
    path: "/api/admin/nodes",
    access: "admin",
    scope: "fleet:write",
    tag: "nodes",
    summary: "Registers a node and answers with the token it joins with",
    body: NewNode,
    success: { status: 201, schema: Strict({ node: Node, join: JoinToken }) },
    errors: [nodeErrors.nameInUse],
  }),
  show: defineRoute({
    method: "GET",
    path: "/api/admin/nodes/{id}",
    access: "staff",
    scope: "fleet:read",
    tag: "nodes",
    summary: "Shows a node",
    params: IdParams("node"),
    success: { status: 200, schema: Node },
    errors: [nodeErrors.notFound],
  }),
  change: defineRoute({
    method: "PATCH",
    path: "/api/admin/nodes/{id}",
    access: "admin",
    scope: "fleet:write",
    tag: "nodes",
    summary: "Changes what is known of a node, or drains it",
    params: IdParams("node"),
    body: NodeChange,
    success: { status: 200, schema: Node },
    errors: [nodeErrors.notFound, nodeErrors.nameInUse],
  }),
  health: defineRoute({
    method: "GET",
    path: "/api/admin/nodes/{id}/health",
    access: "staff",
    scope: "fleet:read",
    tag: "nodes",
    summary: "Shows how a node was in the last hour, from memory: a sample every 30 seconds, without people",
    params: IdParams("node"),
    success: { status: 200, schema: Strict({ samples: Type.Array(HealthSample) }) },
    errors: [nodeErrors.notFound],
  }),
  renewJoinToken: defineRoute({
    method: "POST",
    path: "/api/admin/nodes/{id}/join-token",
    access: "admin",
    scope: "fleet:write",
    tag: "nodes",
    summary: "Makes a fresh join token; using it replaces the node's credential",
    params: IdParams("node"),
    success: { status: 201, schema: JoinToken },
    errors: [nodeErrors.notFound],
  }),
  trust: defineRoute({
    method: "POST",
    path: "/api/admin/nodes/{id}/trust",
    access: "admin",
    scope: "fleet:write",
    tag: "nodes",
    summary: "Ends a node's quarantine; it counts anew from here on",
    params: IdParams("node"),
    success: { status: 200, schema: Node },
    errors: [nodeErrors.notFound],
  }),
  remove: defineRoute({
    method: "DELETE",
    path: "/api/admin/nodes/{id}",
    access: "admin",
    scope: "fleet:write",
    tag: "nodes",
    summary: "Removes a node that holds no devices; its agent takes the tunnels down and comes no more",
    params: IdParams("node"),
    query: Strict({
      now: Type.Optional(
        Type.Boolean({ description: "Also while devices that were moved away can still use it" }),
      ),
    }),
    success: { status: 204, schema: Nothing },
    errors: [nodeErrors.notFound, nodeErrors.notEmpty, nodeErrors.stillUsed],
  }),
  join: defineRoute({
    method: "POST",
    path: "/api/nodes/join",
    access: "anyone",
    tag: "nodes",
    summary: "Used by the node agent: exchanges a join token for a credential of its own",
    body: Strict({
      token: Type.String({ minLength: 1, maxLength: 200 }),
      credential: Ed25519Key,
      wireguard_public_key: WireGuardKey,
      endpoint: Strict({ host: EndpointHost, port: EndpointPort }),
      agent_version: Type.String({ maxLength: 40, pattern: "^[0-9A-Za-z.+-]*$" }),
    }),
    success: {
      status: 201,
      schema: Strict({ node_id: Id("node"), name: Name, control_plane_key: Ed25519Key }),
    },
    errors: [nodeErrors.joinTokenInvalid, nodeErrors.invalidKey, nodeErrors.keyInUse],
  }),
};

/** A node as customers see it. */
export const Server = Strict({
  id: Id("node"),
  name: Name,
  region: HumanText(40),
  latitude: Nullable(Latitude),
  longitude: Nullable(Longitude),
  available: Type.Boolean({ description: "Takes new devices at the moment" }),
  included: Type.Boolean({ description: "One's own plan allows it" }),
  load: OneOf(["low", "medium", "high"]),
  score: Type.Integer({ minimum: 0, maximum: 100, description: "Higher is better" }),
  distance_km: Nullable(Type.Integer({ description: "From the middle of the country that was asked for" })),
});
export type Server = Static<typeof Server>;

/** Another region, where the wished one has no server. */
export const Alternative = Strict({
  region: HumanText(40),
  distance_km: Nullable(
    Type.Integer({
      description: "From the wished region, or from the country where nobody knows where that region is",
    }),
  ),
});
export type Alternative = Static<typeof Alternative>;

const From = { country: Type.Optional(Country) };

export const servers = {
  list: defineRoute({
    method: "GET",
    path: "/api/vpn/servers",
    access: "account",
    scope: "servers:read",
    tag: "servers",
    summary: "Lists the servers a device can use",
    ...pagesOf(Server, { ...SearchQuery, ...From }),
    errors: [],
  }),
  best: defineRoute({
    method: "GET",
    path: "/api/vpn/servers/best",
    access: "account",
    scope: "servers:read",
    tag: "servers",
    summary: "Lists the servers that would be chosen, the best first",
    query: Strict({
      ...From,
      region: Type.Optional(HumanText(40)),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10 })),
    }),
    success: {
      status: 200,
      schema: Strict({
        items: Type.Array(Server),
        alternative: Nullable(Alternative),
      }),
    },
    errors: [],
  }),
  status: defineRoute({
    method: "GET",
    path: "/api/vpn/servers/{id}/status",
    access: "account",
    scope: "servers:read",
    tag: "servers",
    summary: "Shows one server",
    params: IdParams("node"),
    query: Strict(From),
    success: { status: 200, schema: Server },
    errors: [serverErrors.notFound],
  }),
};
