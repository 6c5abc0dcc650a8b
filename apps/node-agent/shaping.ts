import { setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "./errors.ts";
import { fieldOf } from "./links.ts";
import { type ProgramOptions, type ProgramResult, runProgram } from "./run-program.ts";
import {
  type Classes,
  checked,
  createClasses,
  type Difference,
  type Limit,
  type Wanted,
} from "./shaping-classes.ts";
import {
  addAddresses,
  addClass,
  addQueueLinks,
  addQueues,
  changeClass,
  drainClass,
  foundation,
  leadToShards,
  linksOf,
  removeAddresses,
  removeClass,
  removeFoundation,
} from "./shaping-commands.ts";

export type { Limit };

/**
 * Holds devices to a speed. Calls may overlap: each waits for the one before. A tunnel whose speed changes loses no
 * packet; one that stays as it was notices nothing. After a call that failed, the next begins from nothing and brings
 * all limits that are wanted by then.
 */
export interface Shaper {
  /**
   * Brings the limits to the given ones, by public key.
   *
   * @throws AgentError that says what the kernel lacks
   */
  apply(limits: ReadonlyMap<string, Limit>): Promise<void>;
  /**
   * Changes the limits of these devices, or lifts them (undefined); it costs the same however many others there are.
   *
   * @throws AgentError that says what the kernel lacks
   */
  change(limits: ReadonlyMap<string, Limit | undefined>): Promise<void>;
  /** Makes the queues of these devices anew, so that the kernel's counters for them begin at zero. */
  forget(publicKeys: Iterable<string>): Promise<void>;
  /** Takes everything away. */
  remove(): Promise<void>;
}

/** For interfaces that exist in memory only. */
export const noShaper: Pick<Shaper, "apply" | "change"> = {
  apply: async () => undefined,
  change: async () => undefined,
};

export interface ShaperOptions {
  readonly interfaceName: string;
  /** Runs `tc`, `nft` and `ip`; as programs of this machine, unless told otherwise. */
  readonly run?: (
    program: string,
    args: readonly string[],
    options?: ProgramOptions,
  ) => Promise<ProgramResult>;
}

/** What the kernel holds for one life of the interface. */
interface State {
  readonly interfaceIndex: number;
  readonly classes: Classes;
  /** Shards that are there. */
  shards: number;
}

const DRAIN_MS = 100;
/** A program has 30 s (`run-program.ts`), and a command takes up to some milliseconds where there are tens of thousands. */
const BATCH_COMMANDS_MAX = 1000;
/** Of the devices on a new interface, so many at a time get their limits: the first do not wait for the last. */
const BEGINNERS_MAX = 2000;
/** So that a transaction's answers fit into what the kernel buffers for `nft`. */
const ELEMENTS_MAX = 4000;
const WHAT_IT_TAKES =
  " It takes Linux 5.16 or later with nftables (nf_tables, nft_fwd_netdev) and the modules sch_htb and ifb.";

export function createShaper({ interfaceName, run = runProgram }: ShaperOptions): Shaper {
  const links = linksOf(interfaceName);
  let wanted = new Map<string, Wanted>();
  let state: State | undefined;
  let last: Promise<void> = Promise.resolve();

  function inTurn(work: () => Promise<void>): Promise<void> {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  }

  /** @throws AgentError without what tc printed */
  async function tell(commands: readonly string[]): Promise<void> {
    for (const batch of piecesOf(commands, BATCH_COMMANDS_MAX)) {
      const { code, stderr } = await run("tc", ["-batch", "-"], { input: textOf(batch) });
      if (code === 0) continue;
      const number = Number(/Command failed -:(\d+)/.exec(stderr)?.[1] ?? Number.NaN);
      const [object = "tc", verb = ""] = (batch[number - 1] ?? "").split(" ");
      throw refused(`the kernel refused “${object} ${verb}”`);
    }
  }

  /** One transaction. @throws AgentError without what nft printed, which can hold tunnel addresses */
  async function tellRules(commands: readonly string[], trouble: string): Promise<void> {
    if (commands.length === 0) return;
    const { code } = await run("nft", ["-f", "-"], { input: textOf(commands) });
    if (code !== 0) throw refused(trouble);
  }

  async function interfaceIndex(): Promise<number | undefined> {
    const { code, stdout } = await run("ip", ["-json", "link", "show", "dev", links.tunnel]);
    if (code !== 0) return undefined;
    const shown: unknown = JSON.parse(stdout);
    const index = Array.isArray(shown) ? fieldOf(shown[0], "ifindex") : undefined;
    return typeof index === "number" ? index : undefined;
  }

  /** Also what an agent before this one left. */
  async function clear(): Promise<void> {
    state = undefined;
    await run("nft", ["-f", "-"], { input: textOf(removeFoundation(links)) });
    await run("ip", ["link", "del", "group", `${links.group}`]);
  }

  async function begin(interfaceIndex: number): Promise<State> {
    await clear();
    await tellRules(foundation(links), "this kernel's nftables cannot lead packets aside as they leave");
    return { interfaceIndex, classes: createClasses(), shards: 0 };
  }

  async function addShards(held: State): Promise<void> {
    const from = held.shards;
    const added = Array.from({ length: held.classes.shards - from }, (_, index) => from + index);
    if (added.length === 0) return;
    const queueLinks = added.flatMap((shard) => addQueueLinks(links, shard));
    const { code } = await run("ip", ["-batch", "-"], { input: textOf(queueLinks) });
    if (code !== 0) throw refused("this kernel has no ifb");
    await tell(added.flatMap((shard) => addQueues(links, shard)));
    await tellRules(leadToShards(links, held.classes.shards), "the kernel refused rules that lead to queues");
    held.shards = held.classes.shards;
  }

  /** @param touched keys whose limits may be others than before; undefined for all */
  async function bring(touched?: Iterable<string>): Promise<void> {
    const index = await interfaceIndex();
    if (index === undefined) {
      state = undefined;
      if (wanted.size > 0)
        throw new AgentError("Speed limits wait for the tunnel interface, which is not there.");
      return;
    }
    const isNew = state?.interfaceIndex !== index;
    if (isNew && wanted.size === 0) return clear();
    const held = state && !isNew ? state : await begin(index);
    state = undefined; // until it is known to be what the kernel holds
    if (isNew) for (const piece of piecesOf([...wanted.keys()], BEGINNERS_MAX)) await settle(held, piece);
    else await settle(held, touched ?? new Set([...held.classes.keys, ...wanted.keys()]));
    state = held;
  }

  async function settle(held: State, keys: Iterable<string>): Promise<void> {
    const difference = held.classes.take(Array.from(keys, (key) => [key, wanted.get(key)] as const));
    await addShards(held);
    await tell(commandsOf(difference));
    await lead(difference);
    if (difference.ended.length === 0) return;
    await sleep(DRAIN_MS);
    await tell(difference.ended.flatMap((place) => removeClass(links, place)));
  }

  /** Classes are there before packets are led to them. */
  function commandsOf({ ended, changed, added }: Difference): string[] {
    return [
      ...ended.flatMap((place) => drainClass(links, place)),
      ...changed.flatMap(({ place, kbitPerSecond }) => changeClass(links, place, kbitPerSecond)),
      ...added.flatMap(({ place, kbitPerSecond }) => addClass(links, place, kbitPerSecond)),
    ];
  }

  async function lead({ unled, led }: Difference): Promise<void> {
    const trouble = "the kernel refused an entry of the map from addresses to queues";
    // Where it is few, in one transaction: an address that goes from one device to another is never without a limit.
    if (unled.length + led.size <= ELEMENTS_MAX)
      return tellRules([...removeAddresses(links, unled), ...addAddresses(links, [...led])], trouble);
    for (const piece of piecesOf(unled, ELEMENTS_MAX))
      await tellRules(removeAddresses(links, piece), trouble);
    for (const piece of piecesOf([...led], ELEMENTS_MAX))
      await tellRules(addAddresses(links, piece), trouble);
  }

  return {
    apply: (limits) =>
      inTurn(async () => {
        wanted = new Map(Array.from(limits, ([key, limit]) => [key, checked(limit)]));
        await bring();
      }),
    change: (limits) =>
      inTurn(async () => {
        const changes = Array.from(limits, ([key, limit]) => [key, limit && checked(limit)] as const);
        for (const [key, limit] of changes) {
          if (limit) wanted.set(key, limit);
          else wanted.delete(key);
        }
        await bring(limits.keys());
      }),
    forget: (publicKeys) =>
      inTurn(async () => {
        const held = state;
        if (!held) return;
        const commands = [...new Set(publicKeys)].flatMap((key) => {
          const place = held.classes.placeOf(key);
          const limit = wanted.get(key);
          return place && limit
            ? [...removeClass(links, place), ...addClass(links, place, limit.kbitPerSecond)]
            : [];
        });
        state = undefined;
        await tell(commands);
        state = held;
      }),
    remove: () =>
      inTurn(async () => {
        wanted = new Map();
        await clear();
      }),
  };
}

function refused(trouble: string): AgentError {
  return new AgentError(`Speed limits could not be set: ${trouble}.${WHAT_IT_TAKES}`);
}

function textOf(commands: readonly string[]): string {
  return `${commands.join("\n")}\n`;
}

function piecesOf<Item>(items: readonly Item[], itemsMax: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / itemsMax) }, (_, index) =>
    items.slice(index * itemsMax, (index + 1) * itemsMax),
  );
}
