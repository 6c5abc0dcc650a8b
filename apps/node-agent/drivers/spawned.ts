import type { Peer, PublicKey } from "@securewave/wireguard";
import {
  parseAllowedIps,
  parseEndpointPresence,
  parseLatestHandshakes,
  parsePresharedKeys,
  parseTransfer,
  renderPeers,
} from "@securewave/wireguard";
import { AgentError } from "../errors.ts";
import { linkKind, removeLink } from "../links.ts";
import { checkPort } from "../port.ts";
import { mustRun, readBytes, runProgram, withMemoryFiles } from "../run-program.ts";
import { applyInBatches } from "./batch.ts";
import {
  type Difference,
  differenceOf,
  hasState,
  type InterfaceSettings,
  type PeerChange,
  type PeerCounters,
  type WireGuardDriver,
} from "./driver.ts";

/** Up to here one `wg set` does; each peer with a preshared key takes a file descriptor. */
const SMALL_CHANGE_MAX = 16;
/** 1,000 peers make an argument list of some 60 kB; Linux takes 2 MB. */
const ARGUMENT_PEERS_MAX = 1000;
const BATCH_MAX = 5000;
/** Each peer with a preshared key takes a file descriptor, of which a program has 1,024 by default. */
const RESET_BATCH_MAX = 500;

export interface SpawnedOptions {
  /** On a memory disk: preshared keys pass through nameless files there. */
  readonly runtimeDir: string;
  readonly implementation?: "kernel" | "userspace";
  /** Makes the interface where there is none. */
  readonly create?: (settings: InterfaceSettings) => Promise<"created" | "adopted">;
}

/** Drives `wg`, and thereby every implementation of WireGuard. `wg show IF dump` prints endpoints and is not used. */
export function createSpawnedDriver(options: SpawnedOptions): WireGuardDriver {
  const { runtimeDir, implementation = "kernel", create = createKernelLink } = options;
  let name: string | undefined;
  let tail: Promise<unknown> = Promise.resolve();

  /** Programs that are started one after the other need not work in that order: changes wait for each other. */
  function inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const turn = tail.then(change);
    tail = turn.catch(() => undefined);
    return turn;
  }

  function interfaceName(): string {
    if (name === undefined) throw new AgentError("The WireGuard interface is not open.");
    return name;
  }

  function showEndpointPresence(): Promise<Set<PublicKey> | undefined> {
    const args = ["show", interfaceName(), "endpoints"];
    return readBytes("reading the peers", "wg", args, parseEndpointPresence);
  }

  function show(field: string): Promise<string> {
    return mustRun("reading the peers", "wg", ["show", interfaceName(), field]);
  }

  /** Runs wg with texts as `/dev/fd/3` and on; false when it refused the change. */
  async function attempt(args: readonly string[], texts: readonly string[]): Promise<boolean> {
    const { code } = await withMemoryFiles(runtimeDir, texts, (files) => runProgram("wg", args, { files }));
    if (code !== 0 && (await linkKind(interfaceName())) === undefined) {
      throw new AgentError("The WireGuard interface is gone.");
    }
    return code === 0;
  }

  async function remove(publicKeys: readonly PublicKey[]): Promise<void> {
    await applyInBatches(publicKeys, ARGUMENT_PEERS_MAX, (batch) =>
      attempt(["set", interfaceName(), ...batch.flatMap((key) => ["peer", key, "remove"])], []),
    );
  }

  function set(batch: readonly Difference[]): Promise<boolean> {
    const texts: string[] = [];
    const args = batch.flatMap((difference) => setArguments(difference, texts));
    return attempt(["set", interfaceName(), ...args], texts);
  }

  /** Adds whole peers and replaces the allowed IPs of those that are there. */
  function add(batch: readonly Peer[]): Promise<boolean> {
    return attempt(["addconf", interfaceName(), "/dev/fd/3"], [renderPeers(batch)]);
  }

  async function apply({ upserts, removals }: PeerChange): Promise<PublicKey[]> {
    const differences: Difference[] = [];
    const whole: Peer[] = [];
    const isSmall = upserts.length + removals.length <= SMALL_CHANGE_MAX;
    for (const upsert of upserts) {
      const difference = differenceOf(upsert);
      if (difference === undefined) continue;
      if (!isSmall && difference.allowedIps !== undefined && difference.presharedKey !== null) {
        whole.push(upsert.peer);
      } else {
        differences.push(withAllAllowedIps(difference, upsert.peer));
      }
    }
    await remove(removals);
    const refused = await applyInBatches(differences, SMALL_CHANGE_MAX, set);
    const refusedWhole = await applyInBatches(whole, BATCH_MAX, add);
    const refusedKeys = [...refused, ...refusedWhole].map(({ publicKey }) => publicKey);
    // A refused peer may stand there in part.
    await remove(refusedKeys);
    return refusedKeys;
  }

  async function reset(peers: readonly Peer[]): Promise<PublicKey[]> {
    const refused = await applyInBatches(peers, RESET_BATCH_MAX, (batch) => {
      const texts: string[] = [];
      const args = batch.flatMap((peer) => resetArguments(peer, texts));
      return attempt(["set", interfaceName(), ...args], texts);
    });
    const refusedKeys = refused.map(({ publicKey }) => publicKey);
    await remove(refusedKeys);
    return refusedKeys;
  }

  return {
    implementation,

    async open(settings) {
      const outcome = await create(settings);
      name = settings.name;
      await configure(settings, runtimeDir);
      return outcome;
    },

    async read() {
      const texts = await Promise.all([show("allowed-ips"), show("preshared-keys")]);
      const [prefixes, secrets] = [parseAllowedIps(texts[0]), parsePresharedKeys(texts[1])];
      if (prefixes === undefined || secrets === undefined) throw malformed();
      return Array.from(prefixes, ([publicKey, allowedIps]) => {
        const presharedKey = secrets.get(publicKey) ?? undefined;
        return { publicKey, allowedIps, ...(presharedKey === undefined ? {} : { presharedKey }) };
      });
    },

    apply: (change) => inTurn(() => apply(change)),
    reset: (peers) => inTurn(() => reset(peers)),

    async reports() {
      const printed = await Promise.all([
        show("latest-handshakes"),
        show("transfer"),
        showEndpointPresence(),
      ] as const);
      const [handshakes, transfers] = [parseLatestHandshakes(printed[0]), parseTransfer(printed[1])];
      const endpoints = printed[2];
      if (handshakes === undefined || transfers === undefined || endpoints === undefined) throw malformed();
      const counters: PeerCounters[] = [];
      for (const [publicKey, lastHandshakeSeconds] of handshakes) {
        const { rxBytes = 0, txBytes = 0 } = transfers.get(publicKey) ?? {};
        const hasEndpoint = endpoints.has(publicKey);
        const entry = {
          publicKey,
          receivedBytes: rxBytes,
          sentBytes: txBytes,
          lastHandshakeSeconds,
          hasEndpoint,
        };
        if (hasState(entry)) counters.push(entry);
      }
      return { peerCount: handshakes.size, counters };
    },

    detach() {
      // Nothing is held between calls.
    },

    close: removeLink,
  };
}

/** `wg set` replaces the list of allowed IPs, so that a peer which gains one needs them all. */
function withAllAllowedIps(difference: Difference, peer: Peer): Difference {
  return difference.allowedIps === undefined ? difference : { ...difference, allowedIps: peer.allowedIps };
}

function setArguments(difference: Difference, texts: string[]): string[] {
  const args = ["peer", difference.publicKey];
  if (difference.presharedKey === null) {
    args.push("preshared-key", "/dev/null");
  } else if (difference.presharedKey !== undefined) {
    args.push("preshared-key", `/dev/fd/${3 + texts.length}`);
    texts.push(difference.presharedKey);
  }
  if (difference.allowedIps !== undefined) args.push("allowed-ips", difference.allowedIps.join(","));
  return args;
}

/** `wg` sends what it is told of one key in order, in one request where it fits, and asks for nothing in between. */
function resetArguments({ publicKey, presharedKey, allowedIps }: Peer, texts: string[]): string[] {
  const args = ["peer", publicKey, "remove", "peer", publicKey];
  if (presharedKey !== undefined) {
    args.push("preshared-key", `/dev/fd/${3 + texts.length}`);
    texts.push(presharedKey);
  }
  if (allowedIps.length > 0) args.push("allowed-ips", allowedIps.join(","));
  return args;
}

async function configure({ name, privateKey, listenPort }: InterfaceSettings, runtimeDir: string) {
  const present = await mustRun("reading the port", "wg", ["show", name, "listen-port"]);
  const args = ["set", name, "private-key", "/dev/fd/3"];
  // wireguard-go closes its socket for a moment when its port is set, even to the same.
  if (Number(present) !== listenPort) args.push("listen-port", String(listenPort));
  const { code } = await withMemoryFiles(runtimeDir, [privateKey], (files) =>
    runProgram("wg", args, { files }),
  );
  if (code !== 0) {
    throw new AgentError(`WireGuard refused port ${listenPort}; another program may have it. See: ss -ulpn`);
  }
}

async function createKernelLink({ name, listenPort }: InterfaceSettings): Promise<"created" | "adopted"> {
  const kind = await linkKind(name);
  if (kind === "wireguard") return "adopted";
  if (kind !== undefined) {
    throw new AgentError(
      `There is an interface ${name} already, and it is none of WireGuard's. Choose another name with --interface.`,
    );
  }
  await checkPort(listenPort);
  await mustRun("creating the interface", "ip", ["link", "add", "dev", name, "type", "wireguard"]);
  return "created";
}

function malformed(): AgentError {
  return new AgentError("wg printed something unexpected; its version may not fit.");
}
