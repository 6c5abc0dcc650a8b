import { createAgent } from "./agent.ts";
import { chooseDriver } from "./choose-driver.ts";
import { createConnect } from "./connection.ts";
import { signingKey, verifyingKey } from "./credential.ts";
import { AgentError } from "./errors.ts";
import { createHost } from "./host.ts";
import { type Identity, readIdentity, removeIdentity } from "./identity.ts";
import { linkKind } from "./links.ts";
import type { Log } from "./log.ts";
import { checkPort } from "./port.ts";
import { askStatus, claimInterface, stateFilePath } from "./runtime.ts";
import { createStateFile } from "./state-file.ts";

export interface Folders {
  readonly stateDir: string;
  readonly runtimeDir: string;
}

export interface RunOptions extends Folders {
  /** Takes interface and rules down at the end. */
  readonly takeDown: boolean;
  readonly log: Log;
  /** Resolves when the agent is to stop. */
  readonly untilStopped: Promise<void>;
}

export async function run({ stateDir, runtimeDir, takeDown, log, untilStopped }: RunOptions): Promise<void> {
  const identity = await mustHaveJoined(stateDir);
  const driver = await chooseDriver(identity.interface, runtimeDir);
  const isNew = (await linkKind(identity.interface)) === undefined;
  if (isNew && identity.listen_port !== null) await checkPort(identity.listen_port);
  const agent = createAgent({
    driver,
    host: createHost(identity.interface),
    connect: createConnect({
      controlPlaneUrl: identity.control_plane,
      nodeId: identity.node_id,
      credential: signingKey(identity.credential),
      controlPlaneKey: verifyingKey(identity.control_plane_key),
      log,
    }),
    stateFile: stateFileOf(identity, runtimeDir, log),
    interfaceName: identity.interface,
    privateKey: identity.wireguard_private_key,
    ...(identity.listen_port !== null && { listenPort: identity.listen_port }),
    log,
  });
  const claim = await claimInterface(runtimeDir, identity.interface, agent.status);
  try {
    log("starting", { host: new URL(identity.control_plane).host });
    await agent.start();
    await untilStopped;
  } finally {
    await agent.stop({ takeDown });
    await claim.release();
  }
}

function stateFileOf(identity: Identity, runtimeDir: string, log: Log) {
  return createStateFile({
    path: stateFilePath(runtimeDir, identity.interface),
    nodeId: identity.node_id,
    onError: () => log("saved-state-not-written"),
  });
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

/** Takes interface, rules and keys away. The control plane is not told: remove the node there too. */
export async function leave({ stateDir, runtimeDir }: Folders): Promise<Identity> {
  const identity = await mustHaveJoined(stateDir);
  if ((await askStatus(runtimeDir, identity.interface)) !== undefined) {
    throw new AgentError("The agent is running. Stop it first, with systemd: systemctl stop securewave-node");
  }
  const driver = await chooseDriver(identity.interface, runtimeDir);
  await createHost(identity.interface).remove();
  await driver.close(identity.interface);
  await stateFileOf(identity, runtimeDir, () => undefined).remove();
  await removeIdentity(stateDir);
  return identity;
}
