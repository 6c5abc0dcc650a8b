import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createAgent } from "./agent.ts";
import { chooseDriver } from "./choose-driver.ts";
import { createConnect } from "./connection.ts";
import { verifyingKey } from "./credential.ts";
import { AgentError, NodeRemovedError } from "./errors.ts";
import {
  createHostHardening,
  guardDriver,
  guardHost,
  guardStateFile,
  type Outcome,
  stopTraffic,
} from "./hardening/index.ts";
import { createHealth } from "./health.ts";
import { createHost, foreignRules } from "./host.ts";
import { type Identity, readIdentity, removeIdentity } from "./identity.ts";
import { linkKind } from "./links.ts";
import type { Log } from "./log.ts";
import { openOwnKey } from "./own-key.ts";
import { checkPort } from "./port.ts";
import { askStatus, claimInterface, stateFilePath } from "./runtime.ts";
import { createScrubber, type OpenScrubber } from "./scrubber.ts";
import { createShaper } from "./shaping.ts";
import { createStateFile } from "./state-file.ts";
import { createTotalsFile, isOnMemoryDisk, noTotalsFile } from "./totals-file.ts";
import { createTraces } from "./traces.ts";
import { createUpgrade, type UpgradeEnd } from "./upgrade.ts";
import { findInstallation } from "./upgrade-installation.ts";
import { AGENT_VERSION } from "./version.ts";

export interface Folders {
  readonly stateDir: string;
  readonly runtimeDir: string;
}

export interface RunOptions extends Folders {
  /** Takes interface and rules down at the end. */
  readonly takeDown: boolean;
  /** Ids of demands on the machine that the operator answers for. */
  readonly accepted: readonly string[];
  readonly log: Log;
  /** The program whose place tells whether the installer put it there; without it the agent stays as it is. */
  readonly upgradeOf?: string;
  /** The longest wait before an update is taken. */
  readonly upgradeWithinSeconds?: number;
  /** Resolves when the agent is to stop. */
  readonly untilStopped: Promise<void>;
}

/**
 * Serves until it is to stop or another version is to take over, or until the node was removed; then nothing of it is
 * left here, as after `leave`.
 *
 * @throws NodeRemovedError after that, AgentError when this version is on trial and did not reach its control plane
 */
export async function run(options: RunOptions): Promise<void> {
  const { stateDir, runtimeDir, takeDown, accepted, log, untilStopped } = options;
  const identity = await mustHaveJoined(stateDir);
  const interfaceName = identity.interface;
  const driver = await chooseDriver(interfaceName, runtimeDir);
  const isNew = (await linkKind(interfaceName)) === undefined;
  if (isNew && identity.listen_port !== null) await checkPort(identity.listen_port);
  const host = createHost(interfaceName);
  const hardening = createHostHardening({ interfaceName, runtimeDir, ownRules: host, accepted, log });
  const shaper = createShaper({ interfaceName });
  const traces = createTraces({ interfaceName, forgetMore: (publicKeys) => shaper.forget(publicKeys) });
  const openScrubber: OpenScrubber = (inside) => createScrubber({ ...inside, driver, traces, log });
  const removed = Promise.withResolvers<"removed">();
  const source = {
    controlPlaneUrl: identity.control_plane,
    controlPlaneKey: verifyingKey(identity.control_plane_key),
  };
  const ownKey = await openOwnKey(stateDir, identity);
  const { upgradeOf, upgradeWithinSeconds } = options;
  const upgrade = createUpgrade({
    ...source,
    installation: upgradeOf === undefined ? undefined : await findInstallation(upgradeOf, AGENT_VERSION),
    ...(upgradeWithinSeconds !== undefined && { withinSeconds: upgradeWithinSeconds }),
    log,
  });
  const agent = createAgent({
    driver: guardDriver(driver, hardening),
    host: guardHost(host, hardening, interfaceName),
    connect: createConnect({
      ...source,
      nodeId: identity.node_id,
      credential: ownKey.present,
      log,
    }),
    ownKey,
    stateFile: guardStateFile(stateFileOf(identity, runtimeDir, log), hardening),
    totalsFile: await totalsFileOf(identity, runtimeDir, log),
    scrubber: openScrubber,
    shaper,
    health: createHealth({ interfaceName }),
    interfaceName,
    privateKey: identity.wireguard_private_key,
    ...(identity.listen_port !== null && { listenPort: identity.listen_port }),
    onRelease: upgrade.onRelease,
    onOutdated: upgrade.onOutdated,
    onRemoved: () => removed.resolve("removed"),
    log,
  });
  const claim = await claimInterface(runtimeDir, interfaceName, agent.status);
  let unwatch = () => {};
  let outcome: "removed" | UpgradeEnd | undefined;
  try {
    log("starting", { host: new URL(identity.control_plane).host });
    await hardening.applyAll();
    if (hardening.problem() !== null) await stopTraffic(interfaceName);
    unwatch = hardening.watch();
    await upgrade.start();
    await agent.start();
    outcome = await Promise.race([untilStopped.then(() => undefined), removed.promise, upgrade.ended]);
  } finally {
    upgrade.stop();
    unwatch();
    const takesDown = takeDown && outcome !== "upgraded";
    await agent.stop({ takeDown: takesDown });
    if (takesDown) await shaper.remove();
    await claim.release();
  }
  if (outcome === "trial-failed") {
    throw new AgentError(
      "This version did not reach its control plane in 2 minutes since it was updated to.",
    );
  }
  if (outcome !== "removed") return;
  await leave({ stateDir, runtimeDir });
  throw new NodeRemovedError(identity.name);
}

function stateFileOf(identity: Identity, runtimeDir: string, log: Log) {
  return createStateFile({
    path: stateFilePath(runtimeDir, identity.interface),
    nodeId: identity.node_id,
    onError: () => log("saved-state-not-written"),
  });
}

/** On a disk that would outlive the machine nothing is kept; a restarted agent then counts from there on. */
async function totalsFileOf({ interface: name, node_id: nodeId }: Identity, runtimeDir: string, log: Log) {
  const path = join(runtimeDir, `${name}.totals`);
  if (!(await isOnMemoryDisk(path))) {
    log("totals-not-kept");
    return noTotalsFile;
  }
  const bootId = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return createTotalsFile({ path, nodeId, bootId });
}

async function mustHaveJoined(stateDir: string): Promise<Identity> {
  const identity = await readIdentity(stateDir);
  if (identity === undefined) {
    throw new AgentError(
      "This machine has not joined a control plane. Make a node in the console and run the command it shows.",
    );
  }
  return identity;
}

export interface NodeStatus {
  readonly joined: boolean;
  readonly running: boolean;
  readonly node_id?: string;
  readonly name?: string;
  readonly control_plane?: string;
  readonly interface?: string;
  /** What the agent says of itself, as `AgentStatus`. */
  readonly agent?: unknown;
}

export async function readStatus({ stateDir, runtimeDir }: Folders): Promise<NodeStatus> {
  const identity = await readIdentity(stateDir);
  if (identity === undefined) return { joined: false, running: false };
  const agent = await askStatus(runtimeDir, identity.interface);
  return {
    joined: true,
    running: agent !== undefined,
    node_id: identity.node_id,
    name: identity.name,
    control_plane: identity.control_plane,
    interface: identity.interface,
    ...(agent !== undefined && { agent }),
  };
}

export interface HardenOptions extends Folders {
  /** Of a machine that has not joined. */
  readonly interfaceName: string;
  readonly accepted: readonly string[];
  /** Looks only. */
  readonly isCheck: boolean;
}

/** Sees to what is demanded of this machine, whether it has joined or not. */
export async function harden(options: HardenOptions): Promise<Outcome[]> {
  const { stateDir, runtimeDir, accepted, isCheck } = options;
  const interfaceName = (await readIdentity(stateDir))?.interface ?? options.interfaceName;
  const ownRules = foreignRules(interfaceName);
  const hardening = createHostHardening({ interfaceName, runtimeDir, ownRules, accepted });
  return isCheck ? hardening.checkAll() : hardening.applyAll();
}

/** Takes interface, rules and keys away. The control plane is not told: remove the node there too. */
export async function leave({ stateDir, runtimeDir }: Folders): Promise<Identity> {
  const identity = await mustHaveJoined(stateDir);
  if ((await askStatus(runtimeDir, identity.interface)) !== undefined) {
    throw new AgentError("The agent is running. Stop it first, with systemd: systemctl stop securewave-node");
  }
  const driver = await chooseDriver(identity.interface, runtimeDir);
  const host = createHost(identity.interface);
  await createHostHardening({
    interfaceName: identity.interface,
    runtimeDir,
    ownRules: host,
    accepted: [],
  }).undoAll();
  await host.remove();
  await driver.close(identity.interface);
  await stateFileOf(identity, runtimeDir, () => undefined).remove();
  await createTotalsFile({
    path: join(runtimeDir, `${identity.interface}.totals`),
    nodeId: identity.node_id,
    bootId: "",
  }).remove();
  await createShaper({ interfaceName: identity.interface }).remove();
  await removeIdentity(stateDir);
  return identity;
}
