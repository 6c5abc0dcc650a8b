import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import {
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
  WireGuardKey,
} from "./schemas.ts";

export const nodeErrors = defineErrors("nodes", {
  notFound: { status: 404, message: "There is no such node." },
  nameInUse: { status: 409, message: "A node with this name exists already." },
  notEmpty: { status: 409, message: "Devices still use this node. Move or revoke them first." },
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
const Tags = Type.Array(Type.String({ pattern: "^[a-z0-9-]{1,30}$" }), { maxItems: 20, uniqueItems: true });

/** `joining`: has not joined yet. `degraded`: connected, but not (yet) in the state it should be in. */
export const NodeState = OneOf(["joining", "healthy", "degraded", "draining", "offline"]);
export type NodeState = Static<typeof NodeState>;

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
  quarantined: Type.Boolean({
    description: "It reported what cannot be; what it counts is left out until it is trusted again",
  }),
  applied_revision: Nullable(
    Type.Integer({ description: "Of the state it said it has; null while offline" }),
  ),
  agent_version: Nullable(Type.String()),
  joined_on: Nullable(Day),
});
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
    draining: Type.Optional(Type.Boolean({ description: "A draining node is given no new devices" })),
  },
  { minProperties: 1 },
);

const JoinToken = Strict({
  join_token: Type.String({ description: "For one use; shown once" }),
  command: Type.String({ description: "What to run on the VPN server" }),
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
    ...pagesOf(Node, SearchQuery),
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
    summary: "Removes a node that holds no devices; its credential ends",
    params: IdParams("node"),
    success: { status: 204, schema: Nothing },
    errors: [nodeErrors.notFound, nodeErrors.notEmpty],
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
  load: OneOf(["low", "medium", "high"]),
});
export type Server = Static<typeof Server>;

export const servers = {
  list: defineRoute({
    method: "GET",
    path: "/api/vpn/servers",
    access: "account",
    scope: "servers:read",
    tag: "servers",
    summary: "Lists the servers a device can use",
    ...pagesOf(Server, SearchQuery),
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
    success: { status: 200, schema: Server },
    errors: [serverErrors.notFound],
  }),
};
