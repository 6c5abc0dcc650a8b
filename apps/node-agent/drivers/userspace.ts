import { access, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Peer, PublicKey } from "@securewave/wireguard";
import type { UapiPeer, UapiPeerChange } from "@securewave/wireguard/uapi";
import { connectUapi, type UapiClient } from "@securewave/wireguard/uapi-socket";
import { AgentError } from "../errors.ts";
import { linkKind, removeLink } from "../links.ts";
import { checkPort } from "../port.ts";
import { mustRun } from "../run-program.ts";
import { applyInBatches } from "./batch.ts";
import {
  differenceOf,
  hasState,
  type InterfaceSettings,
  type PeerCounters,
  type PeerUpsert,
  type WireGuardDriver,
} from "./driver.ts";

/** Where wireguard-go and its kin keep their sockets. @see https://www.wireguard.com/xplatform/ */
const SOCKET_DIR = "/var/run/wireguard";
const BATCH_MAX = 2000;
/** wireguard-go takes no packet's handshake while it answers a request, so that requests are kept short. */
const RESET_BATCH_MAX = 500;
/** Reading 100,000 peers takes seconds on a busy machine. */
const ANSWER_TIMEOUT_MS = 30_000;

/** Drives wireguard-go over its control socket, without spawning anything per change. */
export function createUserspaceDriver(): WireGuardDriver {
  let client: UapiClient | undefined;

  function uapi(): UapiClient {
    if (client === undefined) throw new AgentError("The WireGuard interface is not open.");
    return client;
  }

  async function set(peers: readonly UapiPeerChange[]): Promise<boolean> {
    return (await uapi().set({ peers })) === 0;
  }

  async function remove(publicKeys: readonly PublicKey[]): Promise<void> {
    const removals = publicKeys.map((publicKey) => ({ publicKey, remove: true }));
    await applyInBatches(removals, BATCH_MAX, set);
  }

  return {
    implementation: "userspace",

    async open(settings) {
      const outcome = await startWireguardGo(settings);
      client?.close();
      client = connectUapi(socketPathOf(settings.name), { timeoutMs: ANSWER_TIMEOUT_MS });
      const { listenPort } = await client.get();
      // Setting the port anew, even to itself, closes the socket for a moment. Setting the same key does nothing.
      const errno = await client.set({
        privateKey: settings.privateKey,
        ...(listenPort === settings.listenPort ? {} : { listenPort: settings.listenPort }),
      });
      if (errno !== 0) {
        throw new AgentError(
          `wireguard-go refused port ${settings.listenPort}; another program may have it. See: ss -ulpn`,
        );
      }
      return outcome;
    },

    async read() {
      const { peers } = await uapi().get();
      return peers.map(peerOf);
    },

    async apply({ upserts, removals }) {
      await remove(removals);
      const changes = upserts.map(changeOf).filter((change) => change !== undefined);
      const refused = (await applyInBatches(changes, BATCH_MAX, set)).map(({ publicKey }) => publicKey);
      // A refused peer may stand there in part.
      await remove(refused);
      return refused;
    },

    async reports() {
      const { peers } = await uapi().get();
      const counters = peers.map(countersOf).filter(hasState);
      return { peerCount: peers.length, counters };
    },

    async reset(peers) {
      const refused = await applyInBatches(peers, RESET_BATCH_MAX, (batch) => set(batch.flatMap(resetOf)));
      const refusedKeys = refused.map(({ publicKey }) => publicKey);
      await remove(refusedKeys);
      return refusedKeys;
    },

    detach() {
      client?.close();
      client = undefined;
    },

    async close(name) {
      client?.close();
      client = undefined;
      await removeLink(name);
      await waitUntilGone(socketPathOf(name));
      await rm(socketPathOf(name), { force: true });
    },
  };
}

function socketPathOf(name: string): string {
  return `${SOCKET_DIR}/${name}.sock`;
}

/** Starts wireguard-go as a daemon of its own, so that tunnels outlive the agent. */
async function startWireguardGo({ name, listenPort }: InterfaceSettings): Promise<"created" | "adopted"> {
  const kind = await linkKind(name);
  if (kind === "tun" && (await exists(socketPathOf(name)))) return "adopted";
  if (kind !== undefined) {
    throw new AgentError(
      `There is an interface ${name} already, and it is none of wireguard-go's. Choose another name with --interface.`,
    );
  }
  if (!(await exists("/dev/net/tun"))) {
    throw new AgentError(
      "/dev/net/tun is missing. Load the module with: modprobe tun; in a container start it with: --device /dev/net/tun",
    );
  }
  await checkPort(listenPort);
  // At any other level it keeps the agent's standard error open and writes parts of customers' keys to it.
  await mustRun("creating the interface", "wireguard-go", [name], {
    env: { LOG_LEVEL: "silent" },
    ownSession: true,
  });
  return "created";
}

async function waitUntilGone(path: string): Promise<void> {
  for (let attempt = 0; attempt < 100 && (await exists(path)); attempt++) await pause(20);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function peerOf({ publicKey, allowedIps, presharedKey }: UapiPeer): Peer {
  return { publicKey, allowedIps, ...(presharedKey === undefined ? {} : { presharedKey }) };
}

function countersOf(peer: UapiPeer): PeerCounters {
  return {
    publicKey: peer.publicKey,
    receivedBytes: peer.rxBytes,
    sentBytes: peer.txBytes,
    lastHandshakeSeconds: peer.lastHandshake.seconds,
    hasEndpoint: peer.hasEndpoint,
  };
}

/** Two entries for one key: wireguard-go works them off in order under one lock, so that nobody finds the peer gone. */
function resetOf({ publicKey, presharedKey, allowedIps }: Peer): UapiPeerChange[] {
  const again = { publicKey, allowedIps, ...(presharedKey === undefined ? {} : { presharedKey }) };
  return [{ publicKey, remove: true }, again];
}

function changeOf(upsert: PeerUpsert): UapiPeerChange | undefined {
  const difference = differenceOf(upsert);
  if (difference === undefined) return undefined;
  const { publicKey, presharedKey, allowedIps, isNew, replaceAllowedIps } = difference;
  return {
    publicKey,
    replaceAllowedIps,
    // A peer that someone took away must not come back with half its settings.
    updateOnly: !isNew,
    ...(presharedKey === undefined ? {} : { presharedKey }),
    ...(allowedIps === undefined ? {} : { allowedIps }),
  };
}
