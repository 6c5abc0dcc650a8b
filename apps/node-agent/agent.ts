import { REFUSALS, REPORT_INTERVAL_SECONDS } from "@securewave/contracts/node-protocol";
import { SECOND_MS, systemClock } from "@securewave/foundation";
import { parsePublicKey, publicKeyOf } from "@securewave/wireguard";
import type { AgentOptions } from "./agent-options.ts";
import { createCondition } from "./condition.ts";
import type { Link, ServingFrame } from "./connection.ts";
import { createCounting } from "./counting.ts";
import { createDesiredState, type Settled } from "./desired-state.ts";
import { noHealth } from "./health.ts";
import { silentLog } from "./log.ts";
import { createReporting } from "./reporting.ts";
import { parseRestrictions } from "./restrictions.ts";
import { noShaper } from "./shaping.ts";
import { createSpeeds } from "./speeds.ts";
import { noTotalsFile } from "./totals-file.ts";
import { createTunnel } from "./tunnel.ts";
import { AGENT_VERSION } from "./version.ts";
import { createWithholdingDriver } from "./withholding.ts";

export interface AgentStatus {
  /** Whether the control plane is connected at the moment. */
  readonly connected: boolean;
  /** The code by which the control plane last did not let it in, until it does. */
  readonly refused: string | null;
  readonly revision: number | null;
  readonly hash: string;
  /** On the interface, in use or not. */
  readonly peers: number;
  readonly implementation: "kernel" | "userspace";
  readonly problem: string | null;
}

export interface Agent {
  /**
   * Serves what the state file holds, then connects.
   *
   * @throws AgentError when the interface cannot be brought up
   */
  start(): Promise<void>;
  status(): AgentStatus;
  /** Stops the agent. The interface carries on unless it is to be taken down too. */
  stop(options?: { takeDown?: boolean }): Promise<void>;
}

/** Holds one WireGuard interface to what the control plane wants. */
export function createAgent(options: AgentOptions): Agent {
  const { host, stateFile, interfaceName, privateKey } = options;
  const driver = createWithholdingDriver(options.driver);
  const { log = silentLog } = options;
  const state = createDesiredState(driver, publicKeyOf(privateKey));
  const wantedKeys = () => state.wanted().map(({ publicKey }) => publicKey);
  const tunnel = createTunnel({
    driver,
    host,
    state,
    interfaceName,
    privateKey,
    listenPort: options.listenPort,
    log,
    onUp(outcome) {
      if (outcome === "created") counting.interfaceMade();
      speeds.interfaceUp(outcome);
    },
    onSettled: settled,
    onAttempt: () => condition.tell(),
  });
  const counting = createCounting({
    file: options.totalsFile ?? noTotalsFile,
    clock: options.clock ?? systemClock,
    steadyMs: options.steadyMs ?? (() => performance.now()),
    log,
    link: () => link,
    wantedKeys,
    read: async () => (tunnel.isUp ? driver.reports() : undefined),
  });
  const speeds = createSpeeds({
    shaper: options.shaper ?? noShaper,
    peerOf: state.wantedPeer,
    tierOf: state.tierOf,
    wantedKeys,
    onAttempt: () => condition.tell(),
  });
  const scrubber = options.scrubber?.({
    peerOf: (publicKey) => (driver.isWithheld(publicKey) ? undefined : state.wantedPeer(publicKey)),
    onForgotten: counting.forgotten,
    tunnel: () =>
      tunnel.wanted && state.isSettled
        ? {
            addresses: tunnel.wanted.addresses,
            peers: state.wanted().filter(({ publicKey }) => !driver.isWithheld(publicKey)),
          }
        : undefined,
  });
  const condition = createCondition(
    () =>
      tunnel.problem ?? (scrubber?.isLate() ? "The node does not forget in time." : null) ?? speeds.problem,
    (problem) => {
      if (isWelcome) link?.send({ type: "condition", problem });
      return isWelcome;
    },
  );
  const reporting = createReporting({
    intervalMs: options.reportIntervalMs ?? REPORT_INTERVAL_SECONDS * SECOND_MS,
    driver,
    tunnel,
    state,
    counting,
    health: options.health ?? noHealth,
    scrubber,
    log,
    send: (bytes, kind) => (isWelcome ? link?.sendFigures(bytes, kind) : undefined),
    onRound() {
      condition.tell();
      speeds.bring();
    },
  });

  let link: Link | undefined;
  /** Whether this connection's other side listens: it spoke first. */
  let isWelcome = false;
  let awaitsSnapshot = false;
  let refused: string | null = null;
  let stopping: Promise<void> | undefined;

  function settled(outcome: Settled, isAnswer: boolean): void {
    const { revision, hash, failed, upserts, removed } = outcome;
    scrubber?.takenOff(removed);
    if (isAnswer && revision !== null) {
      link?.send({ type: "applied", revision, hash, failed: [...failed] });
      log("applied", {
        revision,
        upserts,
        removals: removed.length,
        ...(failed.length > 0 && { failed: failed.length }),
      });
    }
    save();
  }

  function save(): void {
    stateFile.save(() => {
      const tierSpeeds = speeds.tiers();
      return (
        tunnel.wanted && {
          revision: state.revision,
          interface: tunnel.wanted,
          hash: state.hash(),
          ...(tierSpeeds && { speeds: tierSpeeds }),
          peers: state.wanted(),
          tiers: state.tiers(),
        }
      );
    });
  }

  function receive(frame: ServingFrame): void {
    switch (frame.type) {
      case "release":
        options.onRelease?.(frame.agent_version);
        return;
      case "interface":
        beWelcome();
        tunnel.want(frame.interface);
        break;
      case "tiers":
        speeds.takeTiers(frame.speeds);
        save();
        return;
      case "snapshot":
        awaitsSnapshot = false;
        state.takeSnapshot(frame);
        speeds.peersChanged("all");
        tunnel.owe();
        break;
      case "change":
        if (!takeChange(frame)) return;
        tunnel.owe();
        tunnel.work();
        return;
      case "restrict": {
        const { blocked, throttled } = parseRestrictions(frame.peers);
        driver.withhold(blocked);
        speeds.takeThrottles(throttled);
        break;
      }
      case "close":
        counting.close(frame.batch);
        return;
      case "settled":
        counting.settled(frame.incarnation, frame.batch);
        return;
      case "recount":
        counting.recount();
        return;
      case "renew":
        void options.ownKey
          ?.propose(frame.nonce)
          .then((proposal) => link?.send({ type: "credential", ...proposal }))
          .catch(() => log("credential-not-kept"));
        return;
      case "renewed":
        void options.ownKey?.accepted(frame.public_key).catch(() => log("credential-not-kept"));
        return;
    }
    // What a mended control plane sends may be what mends the node.
    tunnel.workAtOnce();
  }

  /** The connection's first frame but for a release: before it nobody would hear. */
  function beWelcome(): void {
    isWelcome = true;
    refused = null;
    void options.ownKey?.proved().catch(() => log("credential-not-kept"));
    condition.forget();
    counting.connected();
    condition.tell();
  }

  function takeChange(change: Extract<ServingFrame, { type: "change" }>): boolean {
    if (awaitsSnapshot) return false;
    if (!state.takeChange(change)) {
      awaitsSnapshot = true;
      log("resync", { revision: state.revision });
      link?.send({ type: "resync", reason: "The change does not start at the revision held." });
      return false;
    }
    const keys = [...change.upserts.map(({ public_key }) => public_key), ...change.removals];
    speeds.peersChanged(keys.map(parsePublicKey).filter((key) => key !== undefined));
    return true;
  }

  function beRefused(code: string): void {
    refused = code;
    if (code === REFUSALS.unknown) options.ownKey?.refused();
    if (code === REFUSALS.protocol) options.onOutdated?.();
    if (code !== REFUSALS.removed) return;
    stopping ??= end(true);
    void stopping.then(options.onRemoved);
  }

  /** Serves from the state file. */
  async function resume(): Promise<void> {
    const saved = await stateFile.read();
    if (saved === "bad") log("saved-state-set-aside");
    if (saved === undefined || saved === "bad") return;
    await tunnel.resume(saved);
    if (saved.speeds) speeds.takeTiers(saved.speeds);
  }

  async function end(takeDown: boolean): Promise<void> {
    link?.close();
    await reporting.stop();
    await tunnel.stop();
    await scrubber?.stop();
    await counting.flush();
    if (takeDown) {
      await counting.remove();
      await host.remove();
      await driver.close(interfaceName);
      await stateFile.remove();
    } else {
      driver.detach();
      await stateFile.flush();
    }
    log("stopped");
  }

  return {
    async start() {
      await counting.open();
      await resume();
      link = options.connect({
        describe: () => ({
          revision: state.revision,
          hash: state.hash(),
          agent_version: AGENT_VERSION,
          implementation: driver.implementation,
        }),
        onOpen() {
          awaitsSnapshot = false;
        },
        onFrame: receive,
        onRefused: beRefused,
        onClose() {
          isWelcome = false;
        },
      });
      reporting.start();
    },

    status: () => ({
      connected: link?.isOpen ?? false,
      refused,
      revision: state.revision,
      hash: state.hash(),
      peers: state.size,
      implementation: driver.implementation,
      problem: condition.present(),
    }),

    stop({ takeDown = false } = {}) {
      stopping ??= end(takeDown);
      return stopping;
    },
  };
}
