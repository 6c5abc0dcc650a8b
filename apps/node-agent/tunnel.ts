import type { InterfaceSpec } from "@securewave/contracts/node-protocol";
import { SECOND_MS } from "@securewave/foundation";
import type { PrivateKey } from "@securewave/wireguard";
import type { DesiredState, Settled } from "./desired-state.ts";
import { describeError } from "./errors.ts";
import type { HostSetup } from "./host.ts";
import type { Log } from "./log.ts";
import type { SavedState } from "./state-file.ts";
import type { WithholdingDriver } from "./withholding.ts";

const RETRY_FIRST_MS = SECOND_MS;
const RETRY_MAX_MS = 15 * SECOND_MS;

export interface TunnelOptions {
  readonly driver: WithholdingDriver;
  readonly host: HostSetup;
  readonly state: DesiredState;
  readonly interfaceName: string;
  readonly privateKey: PrivateKey;
  /** Stands in for the port that is wanted. */
  readonly listenPort: number | undefined;
  readonly log: Log;
  /** The interface is there, with addresses and firewall. */
  readonly onUp: (outcome: "created" | "adopted") => void;
  /** @param isAnswer whether the control plane awaits to hear of it */
  readonly onSettled: (settled: Settled, isAnswer: boolean) => void;
  /** The problem may be another one. */
  readonly onAttempt: () => void;
}

/** One WireGuard interface, brought to what is wanted of it and held there, whatever fails meanwhile. */
export interface Tunnel {
  /** Undefined while nobody said what is wanted. */
  readonly wanted: InterfaceSpec | undefined;
  readonly isUp: boolean;
  /** It is as it should be, and nothing is being done to it. */
  readonly isAtRest: boolean;
  readonly problem: string | null;
  /** Takes up the interface that is wanted; `work` brings it about. */
  want(spec: InterfaceSpec): void;
  /** The next time that peers are settled, the control plane is answered. */
  owe(): void;
  /** Brings interface and peers to what is wanted; one run at a time, which takes in what arrives meanwhile. */
  work(): void;
  /** As `work`, without waiting for the time of the next attempt. */
  workAtOnce(): void;
  /**
   * Serves what was saved. An interface that is there already is taken over as it is.
   *
   * @throws when it cannot be brought up
   */
  resume(saved: SavedState): Promise<void>;
  /** The interface did not answer. */
  noteFailure(error: unknown): void;
  /** The interface may have other peers than it is believed to. */
  distrust(): void;
  /** Resolves when nothing is being done any more. */
  stop(): Promise<void>;
}

export function createTunnel(options: TunnelOptions): Tunnel {
  const { driver, host, state, interfaceName, privateKey, log, onUp, onSettled, onAttempt } = options;
  let wanted: InterfaceSpec | undefined;
  let isUp = false;
  /** Frames were taken that the control plane has no answer to. */
  let owesAnswer = false;
  let problem: string | null = null;
  let isStopped = false;
  let working: Promise<void> | undefined;
  let failures = 0;
  let retryTimer: NodeJS.Timeout | undefined;

  function work(): void {
    if (isStopped || retryTimer !== undefined) return;
    working ??= workOff()
      .then(noteSuccess, noteFailure)
      .finally(() => {
        working = undefined;
        if (hasWork()) work();
      });
  }

  function hasWork(): boolean {
    const isBehind = !isUp || !driver.isEnforced || !state.isSettled || owesAnswer;
    return wanted !== undefined && isBehind;
  }

  async function workOff(): Promise<void> {
    while (hasWork() && !isStopped) {
      if (!isUp) await bringUp();
      await driver.enforce(state.wantedPeer);
      await settle();
    }
  }

  async function bringUp(): Promise<void> {
    const spec = wanted;
    if (spec === undefined) return;
    const listenPort = options.listenPort ?? spec.listen_port;
    const outcome = await driver.open({ name: interfaceName, privateKey, listenPort });
    await host.apply({ addresses: spec.addresses, mtu: spec.mtu, listenPort });
    // Another may have been named meanwhile.
    isUp = spec === wanted;
    if (outcome === "created") state.distrustInterface();
    onUp(outcome);
    log(outcome === "created" ? "interface-created" : "interface-adopted");
  }

  async function settle(): Promise<void> {
    const isAnswer = owesAnswer;
    owesAnswer = false;
    try {
      onSettled(await state.settle(), isAnswer);
    } catch (error) {
      owesAnswer ||= isAnswer;
      throw error;
    }
  }

  function noteSuccess(): void {
    if (problem !== null) log("mended");
    problem = null;
    failures = 0;
    onAttempt();
  }

  function noteFailure(error: unknown): void {
    problem = describeError(error);
    const retryMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 10));
    failures++;
    log("failing", { why: problem, retry_ms: retryMs });
    onAttempt();
    // The interface may be gone: opening it again adopts it or makes a new one.
    isUp = false;
    state.distrustInterface();
    if (isStopped) return;
    retryTimer = setTimeout(() => {
      retryTimer = undefined;
      work();
    }, retryMs);
  }

  function clearRetry(): void {
    clearTimeout(retryTimer);
    retryTimer = undefined;
  }

  return {
    get wanted() {
      return wanted;
    },
    get isUp() {
      return isUp;
    },
    get isAtRest() {
      return isUp && !hasWork() && working === undefined;
    },
    get problem() {
      return problem;
    },
    want(spec) {
      if (JSON.stringify(spec) === JSON.stringify(wanted)) return;
      wanted = spec;
      isUp = false;
    },
    owe() {
      owesAnswer = true;
    },
    work,
    workAtOnce() {
      clearRetry();
      work();
    },
    async resume(saved) {
      wanted = saved.interface;
      await bringUp();
      const present = await state.adopt(saved);
      if (present === 0 && saved.peers.length > 0) {
        state.takeSaved(saved);
        await settle();
      }
      log("interface-settled", { revision: state.revision, peers: state.size });
    },
    noteFailure(error) {
      if (working === undefined && retryTimer === undefined) noteFailure(error);
    },
    distrust() {
      state.distrustInterface();
      work();
    },
    async stop() {
      isStopped = true;
      clearRetry();
      await working;
    },
  };
}
