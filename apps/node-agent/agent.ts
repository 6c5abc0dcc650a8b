import {
  type InterfaceSpec,
  type PlaneFrame,
  REPORT_INTERVAL_SECONDS,
} from "@securewave/contracts/node-protocol";
import { type Clock, SECOND_MS, systemClock } from "@securewave/foundation";
import type { PrivateKey } from "@securewave/wireguard";
import { publicKeyOf } from "@securewave/wireguard";
import type { Connect, Link } from "./connection.ts";
import { createCounting } from "./counting.ts";
import { createDesiredState } from "./desired-state.ts";
import type { Reading, WireGuardDriver } from "./drivers/driver.ts";
import { describeError } from "./errors.ts";
import type { HostSetup } from "./host.ts";
import { type Log, silentLog } from "./log.ts";
import { limitsOf, NO_RESTRICTIONS, parseRestrictions } from "./restrictions.ts";
import type { OpenScrubber } from "./scrubber.ts";
import type { Shaper } from "./shaping.ts";
import type { StateFile } from "./state-file.ts";
import { noTotalsFile, type TotalsFile } from "./totals-file.ts";
import { AGENT_VERSION } from "./version.ts";
import { createWithholdingDriver } from "./withholding.ts";

const RETRY_FIRST_MS = SECOND_MS;
const RETRY_MAX_MS = 15 * SECOND_MS;
/** What the protocol takes of a problem. */
const PROBLEM_CHARACTERS_MAX = 300;

export interface AgentOptions {
  readonly driver: WireGuardDriver;
  readonly host: HostSetup;
  readonly connect: Connect;
  readonly stateFile: StateFile;
  /** Where totals outlive the agent; without it a restarted one counts from there on. */
  readonly totalsFile?: TotalsFile;
  /** Holds throttled devices to their speed; without it they keep it. */
  readonly shaper?: Pick<Shaper, "apply">;
  /** Makes peers anew that nobody uses any more; without it the node forgets nothing. */
  readonly scrubber?: OpenScrubber;
  readonly interfaceName: string;
  readonly privateKey: PrivateKey;
  /** Stands in for the port that the control plane names, where both differ behind a port forwarding. */
  readonly listenPort?: number;
  readonly clock?: Clock;
  readonly log?: Log;
  /** For tests; the control plane expects REPORT_INTERVAL_SECONDS. */
  readonly reportIntervalMs?: number;
}

export interface AgentStatus {
  /** Whether the control plane is connected at the moment. */
  readonly connected: boolean;
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
  const { host, stateFile, interfaceName, privateKey, shaper } = options;
  const driver = createWithholdingDriver(options.driver);
  const { clock = systemClock, log = silentLog } = options;
  const reportIntervalMs = options.reportIntervalMs ?? REPORT_INTERVAL_SECONDS * SECOND_MS;
  const state = createDesiredState(driver, publicKeyOf(privateKey));
  const counting = createCounting({
    file: options.totalsFile ?? noTotalsFile,
    clock,
    log,
    link: () => link,
    wantedKeys: () => state.wanted().map(({ publicKey }) => publicKey),
    read: async () => (isInterfaceUp ? driver.reports() : undefined),
  });
  const scrubber = options.scrubber?.({
    peerOf: (publicKey) => (driver.isWithheld(publicKey) ? undefined : state.wantedPeer(publicKey)),
    onForgotten: counting.forgotten,
    tunnel: () =>
      wantedInterface && state.isSettled
        ? {
            addresses: wantedInterface.addresses,
            peers: state.wanted().filter(({ publicKey }) => !driver.isWithheld(publicKey)),
          }
        : undefined,
  });

  let link: Link | undefined;
  let wantedInterface: InterfaceSpec | undefined;
  let isInterfaceUp = false;
  /** Frames were taken that the control plane has no answer to. */
  let owesAnswer = false;
  let awaitsSnapshot = false;
  let problem: string | null = null;
  let restrictions = NO_RESTRICTIONS;
  /** Whether speed limits may differ from what is wanted. */
  let isShapeDue = false;
  let shapingProblem: string | null = null;
  let toldProblem: string | null | undefined;
  let isStopped = false;
  let working: Promise<void> | undefined;
  let failures = 0;
  let retryTimer: NodeJS.Timeout | undefined;
  let reportTimer: NodeJS.Timeout | undefined;
  let isReporting = false;

  /** Brings interface and peers to what is wanted; one run at a time, which takes in what arrives meanwhile. */
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
    const isBehind = !isInterfaceUp || !driver.isEnforced || !state.isSettled || owesAnswer;
    return wantedInterface !== undefined && isBehind;
  }

  async function workOff(): Promise<void> {
    while (hasWork() && !isStopped) {
      if (!isInterfaceUp) await bringUp();
      await driver.enforce(state.wantedPeer);
      await settle();
    }
    if (restrictions.throttled.size > 0) isShapeDue = true;
    void shape();
  }

  async function bringUp(): Promise<"created" | "adopted"> {
    const spec = wantedInterface;
    if (spec === undefined) return "adopted";
    const listenPort = options.listenPort ?? spec.listen_port;
    const outcome = await driver.open({ name: interfaceName, privateKey, listenPort });
    await host.apply({ addresses: spec.addresses, mtu: spec.mtu, listenPort });
    // Another may have been named meanwhile.
    isInterfaceUp = spec === wantedInterface;
    if (outcome === "created") {
      state.distrustInterface();
      counting.interfaceMade();
    }
    log(outcome === "created" ? "interface-created" : "interface-adopted");
    return outcome;
  }

  async function settle(): Promise<void> {
    const isAnswer = owesAnswer;
    owesAnswer = false;
    try {
      const { revision, hash, failed, upserts, removed } = await state.settle();
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
    } catch (error) {
      owesAnswer ||= isAnswer;
      throw error;
    }
  }

  /** What goes wrong with limits keeps nobody from serving; it is tried again at the next tick. */
  async function shape(): Promise<void> {
    if (!isShapeDue || !isInterfaceUp || shaper === undefined) return;
    isShapeDue = false;
    try {
      await shaper.apply(limitsOf(restrictions, state.wantedPeer));
      shapingProblem = null;
    } catch (error) {
      isShapeDue = true;
      shapingProblem = describeError(error).slice(0, PROBLEM_CHARACTERS_MAX);
    }
    tellCondition();
  }

  function condition(): string | null {
    const lateness = scrubber?.isLate() ? "The node does not forget in time." : null;
    return problem ?? lateness ?? shapingProblem;
  }

  /** Tells the control plane when something else is wrong than it knows of. */
  function tellCondition(): void {
    const present = condition();
    if (present === toldProblem || !link?.isOpen) return;
    toldProblem = present;
    link.send({ type: "condition", problem: present });
  }

  function noteSuccess(): void {
    if (problem !== null) log("mended");
    problem = null;
    failures = 0;
    tellCondition();
  }

  function noteFailure(error: unknown): void {
    problem = describeError(error).slice(0, PROBLEM_CHARACTERS_MAX);
    const retryMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 10));
    failures++;
    log("failing", { why: problem, retry_ms: retryMs });
    tellCondition();
    // The interface may be gone: opening it again adopts it or makes a new one.
    isInterfaceUp = false;
    state.distrustInterface();
    if (isStopped) return;
    retryTimer = setTimeout(() => {
      retryTimer = undefined;
      work();
    }, retryMs);
  }

  function save(): void {
    stateFile.save(
      () =>
        wantedInterface && {
          revision: state.revision,
          interface: wantedInterface,
          hash: state.hash(),
          peers: state.wanted(),
        },
    );
  }

  function receive(frame: Exclude<PlaneFrame, { type: "challenge" }>): void {
    switch (frame.type) {
      case "interface":
        // The first frame of a connection: before it nobody would hear.
        toldProblem = undefined;
        counting.connected();
        tellCondition();
        if (JSON.stringify(frame.interface) === JSON.stringify(wantedInterface)) return;
        wantedInterface = frame.interface;
        isInterfaceUp = false;
        break;
      case "snapshot":
        awaitsSnapshot = false;
        state.takeSnapshot(frame);
        owesAnswer = true;
        break;
      case "change":
        if (awaitsSnapshot) return;
        if (!state.takeChange(frame)) {
          awaitsSnapshot = true;
          log("resync", { revision: state.revision });
          link?.send({ type: "resync", reason: "The change does not start at the revision held." });
          return;
        }
        owesAnswer = true;
        break;
      case "restrict":
        restrictions = parseRestrictions(frame.peers);
        driver.withhold(restrictions.blocked);
        isShapeDue = true;
        break;
      case "close":
        counting.close(frame.batch);
        return;
      case "settled":
        counting.settled(frame.incarnation, frame.batch);
        return;
      case "recount":
        counting.recount();
        return;
      case "refused":
        return;
    }
    // What a mended control plane sends may be what mends the node.
    if (frame.type !== "change") clearRetry();
    work();
  }

  function clearRetry(): void {
    clearTimeout(retryTimer);
    retryTimer = undefined;
  }

  /** Runs on a fixed tick whatever happens in the tunnels, and looks whether the interface is what it should be. */
  async function tick(): Promise<void> {
    if (isReporting || isStopped) return;
    isReporting = true;
    try {
      const reading = await read();
      await counting.report(reading);
      if (reading) await scrubber?.scrub(reading);
      tellCondition();
      void shape();
      const isAtRest = isInterfaceUp && !hasWork() && working === undefined;
      if (reading && isAtRest && reading.peerCount !== state.size) {
        log("drift-repaired");
        state.distrustInterface();
        work();
      }
    } finally {
      isReporting = false;
    }
  }

  async function read(): Promise<Reading | undefined> {
    if (!isInterfaceUp) return undefined;
    try {
      return await driver.reports();
    } catch (error) {
      if (working === undefined && retryTimer === undefined) noteFailure(error);
      return undefined;
    }
  }

  /** Serves from the state file. An interface that is there already is taken over as it is. */
  async function resume(): Promise<void> {
    const saved = await stateFile.read();
    if (saved === "bad") log("saved-state-set-aside");
    if (saved === undefined || saved === "bad") return;
    wantedInterface = saved.interface;
    await bringUp();
    const present = await state.adopt(saved);
    if (present === 0 && saved.peers.length > 0) {
      state.takeSaved(saved);
      await settle();
    }
    log("interface-settled", { revision: state.revision, peers: state.size });
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
        onClose: () => undefined,
      });
      reportTimer = setInterval(tick, reportIntervalMs);
    },

    status: () => ({
      connected: link?.isOpen ?? false,
      revision: state.revision,
      hash: state.hash(),
      peers: state.size,
      implementation: driver.implementation,
      problem: condition(),
    }),

    async stop({ takeDown = false } = {}) {
      isStopped = true;
      clearRetry();
      clearInterval(reportTimer);
      link?.close();
      await working;
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
    },
  };
}
