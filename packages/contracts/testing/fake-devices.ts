import { createId } from "@securewave/foundation";
import { generateKeyPair, generatePresharedKey, parsePrivateKey } from "@securewave/wireguard";
import { agreePresharedKey } from "@securewave/wireguard/agreed-keys";
import { renderDeviceConfig } from "../device-config.ts";
import {
  type Device,
  type DeviceWithKeys,
  type DeviceWithTunnel,
  deviceErrors,
  type Tunnel,
} from "../devices.ts";
import type { Node } from "../nodes.ts";
import { type FakeCall, type Mutable, matching, pageOf } from "./fake-call.ts";

const TODAY = "2026-11-20";
const ROTATION_DAYS_DEFAULT = 90;
const FORMER_PLACE_UNTIL = "2026-11-21";
const FORMER_KEY_UNTIL = "2026-11-27";

export type FakeDevice = Mutable<DeviceWithTunnel> & {
  accountId: string;
  privateKey: string | undefined;
  /** That both sides made by ML-KEM-1024; the device alone has it otherwise. */
  agreedKey: string | undefined;
};

export interface FakeDevices {
  readonly devices: FakeDevice[];
  readonly add: (accountId: string, name: string, node: Node, more?: Partial<FakeDevice>) => FakeDevice;
}

/** Devices of all accounts: none at first. What is added made its own keys, but for what `more` says. */
export function createFakeDevices(): FakeDevices {
  const devices: FakeDevice[] = [];
  return {
    devices,
    add(accountId, name, node, more = {}) {
      const id = createId("device");
      const device: FakeDevice = {
        id,
        accountId,
        privateKey: undefined,
        agreedKey: undefined,
        name,
        type: "phone",
        state: "active",
        public_key: generateKeyPair().publicKey,
        key_origin: "customer",
        server: serverOfDevice(node),
        created_on: "2026-11-02",
        key_version: 1,
        key_made_on: "2026-11-02",
        rotation_days: null,
        next_rotation_on: daysAfter("2026-11-02", ROTATION_DAYS_DEFAULT),
        retiring: [],
        connection: {
          device_id: id,
          ready: true,
          connected: false,
          handshake_age_seconds: null,
          received_bytes: 0,
          sent_bytes: 0,
        },
        tunnel: tunnelTo(node),
        ...more,
      };
      devices.push(device);
      return device;
    },
  };
}

let lastPlace = 1;

function nextAddresses(): string[] {
  lastPlace++;
  return [`10.8.0.${lastPlace}/32`, `fd5e:c0de::${lastPlace.toString(16)}/128`];
}

function tunnelTo(node: Node): Tunnel {
  return {
    addresses: nextAddresses(),
    dns: ["10.8.0.1", "fd5e:c0de::1"],
    mtu: 1420,
    server_public_key: node.public_key ?? generateKeyPair().publicKey,
    preshared_key: generatePresharedKey(),
    preshared_key_agreed: false,
    endpoint: node.endpoint ?? { host: "vpn.example", port: 51820 },
    allowed_ips: ["0.0.0.0/0", "::/0"],
    persistent_keepalive_seconds: 25,
  };
}

function serverOfDevice({ id, name, region }: Node): Device["server"] {
  return { id, name, region };
}

function daysAfter(day: string, days: number): string {
  const date = new Date(day);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** @param choose gives the node that a call asks for, other than the present one unless it is named, or refuses */
export function deviceHandlers(
  { devices, add }: FakeDevices,
  choose: (call: FakeCall, present?: string) => Node,
) {
  const own = ({ accountId, params }: FakeCall): FakeDevice => {
    const device = devices.find((each) => each.id === params.id && each.accountId === accountId);
    if (!device) throw deviceErrors.notFound();
    return device;
  };
  const active = (call: FakeCall): FakeDevice => {
    const device = own(call);
    if (device.state === "revoked") throw deviceErrors.revoked();
    return device;
  };
  const named = (accountId: string, name: unknown) =>
    devices.find((device) => device.accountId === accountId && device.name === name);
  const create = (call: FakeCall, name: unknown): DeviceWithKeys => {
    const { accountId, body } = call;
    const public_key = typeof body.public_key === "string" ? body.public_key : undefined;
    if (body.encapsulation_key !== undefined && public_key === undefined) throw deviceErrors.needsOwnKey();
    const keys = generateKeyPair();
    const device = add(accountId, String(name), choose(call), {
      type: (body.type as Device["type"] | undefined) ?? "other",
      public_key: public_key ?? keys.publicKey,
      key_origin: public_key === undefined ? "server" : "customer",
      privateKey: public_key === undefined ? keys.privateKey : undefined,
      created_on: TODAY,
      key_made_on: TODAY,
      next_rotation_on: daysAfter(TODAY, ROTATION_DAYS_DEFAULT),
    });
    return withAgreedKey(device, body.encapsulation_key);
  };
  return {
    "devices.list": ({ accountId, query }: FakeCall) => {
      const mine = devices.filter((device) => device.accountId === accountId);
      return pageOf(byName(matching(mine, query, ({ name }) => name)).map(view), query);
    },
    "devices.create": (call: FakeCall) => {
      const former = named(call.accountId, call.body.name);
      if (former === undefined) return create(call, call.body.name);
      if (former.public_key !== call.body.public_key) throw deviceErrors.nameInUse();
      return withAgreedKey(former, call.body.encapsulation_key);
    },
    "devices.ensure": (call: FakeCall) => {
      const former = named(call.accountId, call.params.name);
      return former === undefined ? create(call, call.params.name) : viewWhole(former);
    },
    "devices.show": (call: FakeCall) => viewWhole(own(call)),
    "devices.change": (call: FakeCall) => {
      const device = own(call);
      const namesake = named(call.accountId, call.body.name);
      if (namesake !== undefined && namesake !== device) throw deviceErrors.nameInUse();
      Object.assign(device, call.body);
      device.next_rotation_on = nextRotationOf(device);
      return view(device);
    },
    "devices.move": (call: FakeCall) => {
      const device = active(call);
      if (call.body.region !== undefined && call.body.region === device.server?.region)
        return viewWhole(device);
      const node = choose(call, device.server?.id);
      if (node.id === device.server?.id) return viewWhole(device);
      const retiring = formerOnes(device, FORMER_PLACE_UNTIL);
      const { preshared_key, preshared_key_agreed } = device.tunnel ?? tunnelTo(node);
      const tunnel = { ...tunnelTo(node), preshared_key, preshared_key_agreed };
      return viewWhole(Object.assign(device, { server: serverOfDevice(node), tunnel, retiring }));
    },
    "devices.rotate": (call: FakeCall) => {
      const { public_key, encapsulation_key } = call.body;
      const device = active(call);
      if (encapsulation_key !== undefined && public_key === undefined) throw deviceErrors.needsOwnKey();
      if (public_key !== device.public_key) {
        const isAgreed = device.tunnel?.preshared_key_agreed === true;
        if (isAgreed && encapsulation_key === undefined) throw deviceErrors.agreementNeeded();
        giveNewKey(device, public_key);
      }
      return withAgreedKey(device, encapsulation_key);
    },
    "devices.revoke": (call: FakeCall) => view(Object.assign(own(call), { state: "revoked" })),
    "devices.remove": (call: FakeCall) => {
      devices.splice(devices.indexOf(own(call)), 1);
      return null;
    },
    "devices.config": (call: FakeCall) => {
      const device = active(call);
      const privateKey = parsePrivateKey(device.privateKey ?? "");
      if (!privateKey || !device.tunnel) throw deviceErrors.privateKeyNotHeld();
      return renderDeviceConfig(device.tunnel, privateKey);
    },
    "fleetDevices.list": ({ query }: FakeCall) => {
      const { account_id } = query;
      const found = devices.filter(({ accountId }) => account_id === undefined || accountId === account_id);
      return pageOf(byName(matching(found, query, ({ name }) => name)).map(viewForStaff), query);
    },
    "fleetDevices.revoke": ({ params }: FakeCall) => {
      const device = devices.find(({ id }) => id === params.id);
      if (!device) throw deviceErrors.notFound();
      device.state = "revoked";
      return null;
    },
  };
}

/** The present key and place, as they are kept for a while beside what follows. */
function formerOnes(device: FakeDevice, valid_until: string): Device["retiring"] {
  const { public_key, server, retiring } = device;
  return [...retiring, { public_key, server, valid_until }];
}

function giveNewKey(device: FakeDevice, publicKey: unknown): void {
  const keys = generateKeyPair();
  const isOwn = typeof publicKey === "string";
  Object.assign(device, {
    retiring: formerOnes(device, FORMER_KEY_UNTIL),
    public_key: isOwn ? publicKey : keys.publicKey,
    privateKey: isOwn ? undefined : keys.privateKey,
    key_origin: isOwn ? "customer" : "server",
    key_version: device.key_version + 1,
    key_made_on: TODAY,
  });
  device.next_rotation_on = nextRotationOf(device);
  const { tunnel } = device;
  if (tunnel)
    device.tunnel = { ...tunnel, addresses: nextAddresses(), preshared_key: generatePresharedKey() };
}

function byName(devices: readonly FakeDevice[]): FakeDevice[] {
  return devices.toSorted((one, other) => one.name.localeCompare(other.name));
}

function view({ accountId: _, privateKey: __, agreedKey: ___, tunnel: ____, ...device }: FakeDevice): Device {
  return device;
}

function viewWhole({
  accountId: _,
  privateKey: __,
  agreedKey: ___,
  ...device
}: FakeDevice): DeviceWithTunnel {
  return device;
}

function viewForStaff(device: FakeDevice) {
  const { connection: _, ...shown } = view(device);
  return { ...shown, account_id: device.accountId };
}

function nextRotationOf({ rotation_days, key_made_on }: Device): string | null {
  const days = rotation_days ?? ROTATION_DAYS_DEFAULT;
  return days === 0 ? null : daysAfter(key_made_on, days);
}

/** Agrees the device's preshared key, where it sent what that needs. */
function withAgreedKey(device: FakeDevice, encapsulationKey: unknown): DeviceWithKeys {
  if (encapsulationKey === undefined) return viewWhole(device);
  const binding = { deviceId: device.id, publicKey: device.public_key };
  const agreed = agreePresharedKey(String(encapsulationKey), binding);
  if (!agreed) throw deviceErrors.invalidEncapsulationKey();
  device.agreedKey = agreed.presharedKey;
  if (device.tunnel) device.tunnel = { ...device.tunnel, preshared_key: null, preshared_key_agreed: true };
  return { ...viewWhole(device), ciphertext: agreed.ciphertext };
}
