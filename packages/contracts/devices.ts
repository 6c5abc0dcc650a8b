import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { accountErrors } from "./accounts.ts";
import { defineRoute } from "./route.ts";
import {
  Country,
  Day,
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

export const deviceErrors = defineErrors("devices", {
  notFound: { status: 404, message: "There is no such device." },
  invalidKey: { status: 422, message: "The public key is not a valid WireGuard key." },
  keyInUse: { status: 409, message: "A device with this key exists already. Make a fresh key." },
  nameInUse: { status: 409, message: "You have a device of this name already." },
  limitReached: {
    status: 409,
    message: "You have as many devices as your account allows. Remove one first.",
  },
  poolExhausted: {
    status: 503,
    message: "No tunnel address is free at the moment. Please tell the operator.",
  },
  serverUnavailable: {
    status: 409,
    message: "This server takes no devices at the moment. Choose another one.",
  },
  regionUnavailable: {
    status: 409,
    message: "No server of this region takes devices at the moment.",
  },
  serverNotIncluded: { status: 403, message: "Your plan does not have this server. Choose another one." },
  needsOwnKey: {
    status: 409,
    message: "A preshared key can be agreed only by a device whose private key never left it.",
  },
  agreementNeeded: {
    status: 409,
    message: "This device agrees its preshared keys. Send an encapsulation key with the new key.",
  },
  invalidEncapsulationKey: { status: 422, message: "The encapsulation key is not one of ML-KEM-1024." },
  noServer: { status: 503, message: "No server is ready to take devices. Please try again later." },
  noOtherServer: {
    status: 409,
    message: "No other server takes devices at the moment. The device stays where it is.",
  },
  revoked: { status: 409, message: "This device was revoked. Add it again." },
  privateKeyNotHeld: {
    status: 409,
    message: "The private key of this device never left it, so only the device has its full config.",
  },
});

export const DeviceType = OneOf(["phone", "tablet", "laptop", "desktop", "router", "other"]);
export type DeviceType = Static<typeof DeviceType>;

const ByteCount = Type.Integer({ minimum: 0 });

/** From memory only; nothing of it is ever stored. */
export const Connection = Strict({
  device_id: Id("device"),
  ready: Type.Boolean({ description: "The server has this device's key" }),
  connected: Type.Boolean({ description: "A handshake within the last three minutes" }),
  handshake_age_seconds: Nullable(Type.Integer({ minimum: 0 })),
  received_bytes: ByteCount,
  sent_bytes: ByteCount,
});
export type Connection = Static<typeof Connection>;

/** What a device needs beside its private key. */
export const Tunnel = Strict({
  addresses: Type.Array(Type.String()),
  dns: Type.Array(Type.String()),
  mtu: Type.Integer(),
  server_public_key: WireGuardKey,
  preshared_key: Nullable(WireGuardKey),
  preshared_key_agreed: Type.Boolean({
    description:
      "The device made its preshared key itself, by its encapsulation key: `preshared_key` is null",
  }),
  endpoint: Strict({ host: Type.String(), port: Type.Integer() }),
  allowed_ips: Type.Array(Type.String()),
  persistent_keepalive_seconds: Type.Integer(),
});
export type Tunnel = Static<typeof Tunnel>;

const ServerOfDevice = Strict({ id: Id("node"), name: Type.String(), region: Type.String() });

/** 0: never. */
const RotationDays = Type.Integer({ minimum: 0, maximum: 3650 });

/** What a device's former config needs: it is valid beside the present one until its day is over (UTC). */
const Retiring = Strict({
  public_key: WireGuardKey,
  server: Nullable(ServerOfDevice),
  valid_until: Day,
});
export const Device = Strict({
  id: Id("device"),
  name: HumanText(60),
  type: DeviceType,
  state: OneOf(["active", "revoked"]),
  public_key: WireGuardKey,
  key_origin: OneOf(["customer", "server"]),
  server: Nullable(ServerOfDevice),
  created_on: Day,
  key_version: Type.Integer({ minimum: 1, description: "Grows by one with each new key" }),
  key_made_on: Day,
  rotation_days: Nullable(RotationDays),
  next_rotation_on: Nullable(Day),
  retiring: Type.Array(Retiring),
  connection: Connection,
});
export type Device = Static<typeof Device>;

export const DeviceWithTunnel = Strict({ ...Device.properties, tunnel: Nullable(Tunnel) });
export type DeviceWithTunnel = Static<typeof DeviceWithTunnel>;

/** Where a device is to be; without any of it the service chooses. */
const place = {
  server_id: Type.Optional(Id("node")),
  region: Type.Optional(HumanText(40)),
  country: Type.Optional(Country),
};

/** FIPS 203, table 3: 1568 bytes each, in base64. */
const kemText = { minLength: 2092, maxLength: 2092, pattern: "^[A-Za-z0-9+/]{2090}[AEIMQUYcgkosw048]=$" };
const EncapsulationKey = Type.String({
  ...kemText,
  description:
    "Of ML-KEM-1024: the preshared key is agreed by it, so that recording the traffic is of no use to a quantum computer",
});
const newKey = {
  public_key: Type.Optional(WireGuardKey),
  encapsulation_key: Type.Optional(EncapsulationKey),
};

const newDevice = { type: Type.Optional(DeviceType), ...place, ...newKey };

/** With what the preshared key is made of, when the device sent an encapsulation key. */
const DeviceWithKeys = Strict({
  ...DeviceWithTunnel.properties,
  ciphertext: Type.Optional(
    Type.String({ ...kemText, description: "The shared secret of ML-KEM-1024 is the preshared key" }),
  ),
});
export type DeviceWithKeys = Static<typeof DeviceWithKeys>;

const NewDevice = Strict(
  { name: HumanText(60), ...newDevice },
  {
    description: "With `public_key` the private key stays with the customer; without, the server makes both.",
  },
);

const createErrors = [
  deviceErrors.invalidKey,
  deviceErrors.keyInUse,
  deviceErrors.nameInUse,
  deviceErrors.limitReached,
  deviceErrors.poolExhausted,
  deviceErrors.serverUnavailable,
  deviceErrors.serverNotIncluded,
  deviceErrors.regionUnavailable,
  deviceErrors.noServer,
  deviceErrors.needsOwnKey,
  deviceErrors.invalidEncapsulationKey,
] as const;

const ConfigFormat = Strict({ format: Type.Optional(OneOf(["svg", "png", "base64"], { default: "svg" })) });

export const devices = {
  list: defineRoute({
    method: "GET",
    path: "/api/vpn/devices",
    access: "account",
    scope: "devices:read",
    tag: "devices",
    summary: "Lists one's own devices by name",
    ...pagesOf(Device, SearchQuery),
    errors: [],
  }),
  create: defineRoute({
    method: "POST",
    path: "/api/vpn/devices",
    access: "account",
    scope: "devices:write",
    tag: "devices",
    summary: "Adds a device; sending the same name and public key again answers with the same device",
    body: NewDevice,
    success: { status: 201, schema: DeviceWithKeys },
    errors: createErrors,
  }),
  ensure: defineRoute({
    method: "PUT",
    path: "/api/vpn/devices/named/{name}",
    access: "account",
    scope: "devices:write",
    tag: "devices",
    summary: "Gets the active device of a name, or adds it",
    params: Strict({ name: HumanText(60) }),
    body: Strict(newDevice),
    success: { status: 200, schema: DeviceWithKeys },
    errors: createErrors,
  }),
  watch: defineRoute({
    method: "GET",
    path: "/api/vpn/connections",
    access: "account",
    scope: "devices:read",
    tag: "devices",
    summary: "Streams the state of one's own devices, from memory, as it changes",
    success: { status: 200, schema: Type.Array(Connection), contentType: "text/event-stream" },
    errors: [],
  }),
  show: defineRoute({
    method: "GET",
    path: "/api/vpn/devices/{id}",
    access: "account",
    scope: "devices:read",
    tag: "devices",
    summary: "Shows a device with its tunnel",
    params: IdParams("device"),
    success: { status: 200, schema: DeviceWithTunnel },
    errors: [deviceErrors.notFound],
  }),
  change: defineRoute({
    method: "PATCH",
    path: "/api/vpn/devices/{id}",
    access: "account",
    scope: "devices:write",
    tag: "devices",
    summary: "Renames a device, changes its type, or how often its key is changed",
    params: IdParams("device"),
    body: Strict(
      {
        name: Type.Optional(HumanText(60)),
        type: Type.Optional(DeviceType),
        rotation_days: Type.Optional(Nullable(RotationDays)),
      },
      {
        minProperties: 1,
        description:
          "`rotation_days`: how long a key is used; null for as long as the service says, 0 for ever.",
      },
    ),
    success: { status: 200, schema: Device },
    errors: [deviceErrors.notFound, deviceErrors.nameInUse],
  }),
  move: defineRoute({
    method: "POST",
    path: "/api/vpn/devices/{id}/move",
    access: "account",
    scope: "devices:write",
    tag: "devices",
    summary: "Moves a device to another server; its former config works until the end of tomorrow (UTC)",
    params: IdParams("device"),
    body: Strict(place, {
      description: "Without `server_id` the service chooses, in the region if there is one.",
    }),
    success: { status: 200, schema: DeviceWithTunnel },
    errors: [
      deviceErrors.notFound,
      deviceErrors.serverUnavailable,
      deviceErrors.serverNotIncluded,
      deviceErrors.regionUnavailable,
      deviceErrors.noOtherServer,
      deviceErrors.revoked,
    ],
  }),
  rotate: defineRoute({
    method: "POST",
    path: "/api/vpn/devices/{id}/rotate",
    access: "account",
    scope: "devices:write",
    tag: "devices",
    summary: "Gives a device a new key and new addresses; the former ones work for some days more",
    params: IdParams("device"),
    body: Strict(newKey, {
      description:
        "With `public_key` the private key stays with the customer, and sending the same again changes nothing but the preshared key, where `encapsulation_key` asks for it; without, the server makes both.",
    }),
    success: { status: 200, schema: DeviceWithKeys },
    errors: [
      deviceErrors.notFound,
      deviceErrors.revoked,
      deviceErrors.invalidKey,
      deviceErrors.keyInUse,
      deviceErrors.poolExhausted,
      deviceErrors.needsOwnKey,
      deviceErrors.agreementNeeded,
      deviceErrors.invalidEncapsulationKey,
    ],
  }),
  revoke: defineRoute({
    method: "POST",
    path: "/api/vpn/devices/{id}/revoke",
    access: "account",
    scope: "devices:write",
    tag: "devices",
    summary: "Takes a device's access away; its tunnel ends within a second",
    params: IdParams("device"),
    success: { status: 200, schema: Device },
    errors: [deviceErrors.notFound],
  }),
  remove: defineRoute({
    method: "DELETE",
    path: "/api/vpn/devices/{id}",
    access: "account",
    scope: "devices:write",
    tag: "devices",
    summary: "Revokes a device where needed and forgets it",
    params: IdParams("device"),
    success: { status: 204, schema: Nothing },
    errors: [deviceErrors.notFound],
  }),
  config: defineRoute({
    method: "GET",
    path: "/api/vpn/devices/{id}/config",
    access: "account",
    scope: "devices:read",
    tag: "devices",
    summary: "Downloads the .conf of a device whose keys the server made",
    params: IdParams("device"),
    success: { status: 200, schema: Type.String(), contentType: "text/plain" },
    errors: [deviceErrors.notFound, deviceErrors.revoked, deviceErrors.privateKeyNotHeld],
  }),
  qr: defineRoute({
    method: "GET",
    path: "/api/vpn/devices/{id}/qr",
    access: "account",
    scope: "devices:read",
    tag: "devices",
    summary: "The same .conf as a QR code: SVG, PNG, or PNG in base64",
    params: IdParams("device"),
    query: ConfigFormat,
    success: { status: 200, schema: Type.String(), contentType: "image/svg+xml" },
    errors: [deviceErrors.notFound, deviceErrors.revoked, deviceErrors.privateKeyNotHeld],
  }),
};

const DeviceOfAccount = Strict({ ...Device.properties, account_id: Id("account") });

export const fleetDevices = {
  list: defineRoute({
    method: "GET",
    path: "/api/admin/devices",
    access: "staff",
    scope: "fleet:read",
    tag: "fleet",
    summary: "Lists devices of all accounts, or of one; without their connection",
    ...pagesOf(Type.Omit(DeviceOfAccount, ["connection"]), {
      ...SearchQuery,
      account_id: Type.Optional(Id("account")),
    }),
    errors: [accountErrors.notFound],
  }),
  revoke: defineRoute({
    method: "POST",
    path: "/api/admin/devices/{id}/revoke",
    access: "staff",
    scope: "fleet:write",
    tag: "fleet",
    summary: "Takes a device's access away",
    params: IdParams("device"),
    success: { status: 204, schema: Nothing },
    errors: [deviceErrors.notFound],
  }),
  totals: defineRoute({
    method: "GET",
    path: "/api/admin/totals",
    access: "staff",
    scope: "fleet:read",
    tag: "fleet",
    summary: "Counts devices and addresses",
    success: {
      status: 200,
      schema: Strict({
        accounts: Type.Integer(),
        devices_active: Type.Integer(),
        devices_revoked: Type.Integer(),
        addresses_in_use: Type.Integer(),
        addresses_total: Type.Integer(),
        nodes: Type.Integer(),
        nodes_healthy: Type.Integer(),
        connected: Type.String({ description: "Devices connected at this moment, as a range" }),
      }),
    },
    errors: [],
  }),
};
