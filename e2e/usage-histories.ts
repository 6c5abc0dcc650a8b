import { setTimeout as pause } from "node:timers/promises";
import type { BatchWord } from "./agent-link.ts";
import type { Account, UsageScene } from "./usage-scene.ts";

const MIB = 2 ** 20;
const MOMENT_MS = 500;
/** Longer than WireGuard remembers a session: §6.1, REJECT_AFTER_TIME. */
const LATER_MS = 300_000;

/** What happens to the service while customers use it. */
export interface History {
  /** The promise that it tries. */
  readonly promise: string;
  /**
   * @param forgiven what was lost before, and may have been
   * @returns what may be lost by it on top, where something may
   */
  play(scene: UsageScene, forgiven: Toll): Promise<Toll | undefined>;
}

/** Bytes of an account. */
export type Toll = (email: string) => number;

/** One account after a history, in bytes. */
export interface Verdict extends Account {
  /** Of what was carried, in this history: never told to the customer as used. */
  readonly lost: number;
  readonly lostMax: number;
}

/** Plays histories one after the other; what one loses that may be is no loss of the next. */
export function createPlayer(scene: UsageScene): (history: History) => Promise<Verdict[]> {
  const forgiven = new Map<string, number>();
  const forgivenOf = (email: string) => forgiven.get(email) ?? 0;
  return async (history) => {
    const toll = await history.play(scene, forgivenOf);
    const accounts = toll ? await scene.atRest() : await scene.counted(forgivenOf);
    return accounts.map((account) => {
      const { email, carried, used } = account;
      const lost = carried - forgivenOf(email) - used;
      const lostMax = toll?.(email) ?? 0;
      forgiven.set(email, forgivenOf(email) + lost);
      return { ...account, lost, lostMax };
    });
  };
}

/** Bytes that were lost and may not be, or were told and not carried. */
export function faultOf({ lost, lostMax }: Verdict): number {
  return Math.max(0, -lost) + Math.max(0, lost - lostMax);
}

const moment = () => pause(MOMENT_MS);

/** Ends the counters. @returns what was not told of them */
async function endCounters(scene: UsageScene, forgiven: Toll): Promise<Toll> {
  const told = new Map((await scene.accounts()).map(({ email, used }) => [email, used]));
  const carried = await scene.endCounters();
  return (email) => carried(email) - (told.get(email) ?? 0) - forgiven(email);
}

/** A control plane that no node has spoken to knows what the ledger has: whole MiB of what was carried. */
async function demandLedgerAlone(scene: UsageScene): Promise<void> {
  for (const { email, used, carried } of await scene.accounts()) {
    if (used === 0 || used % MIB !== 0 || used > carried) {
      throw new Error(`the ledger says that ${email} used ${used} bytes of ${carried}`);
    }
  }
}

async function withTraffic(scene: UsageScene, act: () => Promise<void>): Promise<undefined> {
  await scene.startTraffic();
  await moment();
  await act();
  await moment();
  await scene.stopTraffic();
}

/** Has the ledger written, and something done as soon as the agent is told a word of it. */
async function flushUntil(
  scene: UsageScene,
  word: BatchWord,
  isLost: "lost" | undefined,
  act: () => Promise<void>,
): Promise<void> {
  await scene.connected();
  const heard = scene.link.hears(word, isLost);
  await scene.askForFlush();
  await heard;
  await act();
}

/** Has the node's interface begin anew while its agent is away, in the midst of traffic. */
async function endInterface(scene: UsageScene, forgiven: Toll): Promise<Toll> {
  await scene.startTraffic();
  await moment();
  await scene.killAgent();
  const toll = await endCounters(scene, forgiven);
  await scene.killInterface();
  await scene.stopTraffic(0);
  await scene.disconnect();
  return toll;
}

/** Those by which nothing at all may be lost come first, and those that tunnels do not live through last. */
export const HISTORIES: readonly History[] = [
  {
    promise: "with nothing amiss, the API says what WireGuard counted",
    play: (scene) => withTraffic(scene, moment),
  },
  {
    promise: "an agent that ends, is killed, or is killed in the midst of a flush, counts on",
    play: (scene) =>
      withTraffic(scene, async () => {
        await scene.stopAgent();
        await moment();
        await scene.startAgent();
        await flushUntil(scene, "close", undefined, scene.killAgent);
        await moment();
        await scene.startAgent();
        await flushUntil(scene, "settled", "lost", scene.killAgent);
        scene.link.mend();
        await scene.startAgent();
      }),
  },
  {
    promise: "a link that breaks, falls silent, or breaks in the midst of a flush, loses and repeats nothing",
    play: (scene) =>
      withTraffic(scene, async () => {
        scene.link.cut();
        await scene.flush();
        scene.link.mend();
        await scene.connected();
        scene.link.hush();
        await scene.flush();
        scene.link.mend();
        await flushUntil(scene, "close", "lost", moment);
        scene.link.mend();
        await flushUntil(scene, "settled", "lost", moment);
        scene.link.mend();
      }),
  },
  {
    promise: "a control plane that ends, is killed, or is killed in the midst of a flush, counts on",
    play: (scene) =>
      withTraffic(scene, async () => {
        await scene.stopPlane();
        await moment();
        await scene.startPlane();
        await flushUntil(scene, "close", undefined, scene.killPlane);
        await moment();
        await scene.startPlane();
        await flushUntil(scene, "settled", "lost", scene.killPlane);
        await scene.startPlane();
        scene.link.mend();
      }),
  },
  {
    promise: "with agent and control plane killed and the link cut, everything comes back together",
    play: (scene) =>
      withTraffic(scene, async () => {
        scene.link.cut();
        await Promise.all([scene.killAgent(), scene.killPlane()]);
        await moment();
        await Promise.all([scene.startAgent(), scene.startPlane()]);
        await demandLedgerAlone(scene);
        scene.link.mend();
        await scene.connected();
        await scene.flush();
      }),
  },
  {
    promise: "peers that the node forgot and knows again count on",
    async play(scene) {
      await scene.disconnect();
      await scene.killAgent();
      await Promise.all([scene.followCountersToEnd(), scene.startAgent(LATER_MS)]);
      await scene.killAgent();
      await scene.startAgent();
      await scene.connect();
      return withTraffic(scene, moment);
    },
  },
  {
    promise: "when agent and interface die together, what was told stands",
    async play(scene, forgiven) {
      const toll = await endInterface(scene, forgiven);
      await scene.startAgent();
      await scene.connect();
      await withTraffic(scene, moment);
      return toll;
    },
  },
  {
    promise: "when an interface dies under its agent, what was told stands",
    async play(scene, forgiven) {
      await scene.startTraffic();
      await moment();
      const toll = await endCounters(scene, forgiven);
      await scene.killInterface();
      await scene.stopTraffic(0);
      await scene.disconnect();
      await scene.connect();
      return toll;
    },
  },
  {
    promise:
      "when a node's machine starts anew, what was told stands until the flush, and is in the ledger then",
    async play(scene, forgiven) {
      const toll = await endInterface(scene, forgiven);
      await scene.emptyMemoryDisk();
      await scene.startAgent();
      await scene.connect();
      await withTraffic(scene, moment);
      await scene.connected();
      await scene.flush();
      await scene.killPlane();
      await scene.startPlane();
      // The ledger has whole MiB, and no node has what is left of them.
      return (email) => toll(email) + MIB;
    },
  },
];
