import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Family } from "@securewave/wireguard";
import { AgentError } from "./errors.ts";
import { fieldOf } from "./links.ts";
import { type ProgramOptions, type ProgramResult, runProgram } from "./run-program.ts";
import {
  addFilters,
  addQueue,
  CLASSES_MAX,
  changeQueue,
  drainQueue,
  foundation,
  lowerTable,
  type Place,
  parsePlace,
  removeFilters,
  removeQueue,
  SAME_PLACE_MAX,
  type ShapedLinks,
} from "./shaping-commands.ts";

export interface Limit {
  /** The device's in the tunnel, with or without prefix length. */
  readonly addresses: readonly string[];
  /** In each direction, as the tunnel carries it: with IP headers, without WireGuard's own. */
  readonly kbitPerSecond: number;
}

/** Holds devices to a speed. Calls may overlap: each waits for the one before. */
export interface Shaper {
  /**
   * Brings the limits to the given ones, by public key. A tunnel whose speed changes loses no packet; one that stays
   * as it was notices nothing, unless hundreds of others come or go with it.
   *
   * @throws AgentError that says what the kernel lacks; the next call then begins from nothing
   */
  apply(limits: ReadonlyMap<string, Limit>): Promise<void>;
  /** Makes the queues of these devices anew, so that the kernel's counters for them begin at zero. */
  forget(publicKeys: Iterable<string>): Promise<void>;
  /** Takes everything away. */
  remove(): Promise<void>;
}

export interface ShaperOptions {
  readonly interfaceName: string;
  /** Runs `tc` and `ip`; as programs of this machine, unless told otherwise. */
  readonly run?: (
    program: string,
    args: readonly string[],
    options?: ProgramOptions,
  ) => Promise<ProgramResult>;
}

interface Held {
  readonly minor: number;
  readonly kbitPerSecond: number;
  readonly places: readonly Place[];
  /** As they were given, to be compared. */
  readonly addresses: string;
}

/** What the kernel holds for one life of the interface. */
interface State {
  readonly interfaceIndex: number;
  readonly devices: Map<string, Held>;
  /** Class numbers that were used before and are free. */
  readonly freeMinors: number[];
  /** Items by bucket: `4:3:7`. */
  readonly items: Map<string, Set<number>>;
  /** Lower tables that are there: `4:3`. */
  readonly tables: Set<string>;
}

const DRAIN_MS = 100;
/** A program has 30 s (`run-program.ts`), and a command takes up to some milliseconds where thousands of filters stand. */
const BATCH_COMMANDS_MAX = 1000;
/** From so many devices on that come and go together, making everything anew is faster than changing it. */
const UPHEAVAL_DEVICES_MIN = 500;

/** The name of the interface that uploads are led through; the same for a tunnel interface at all times. */
export function uploadInterface(tunnel: string): string {
  return `swup${createHash("sha256").update(tunnel).digest("hex").slice(0, 8)}`;
}

export function createShaper({ interfaceName, run = runProgram }: ShaperOptions): Shaper {
  const links: ShapedLinks = { tunnel: interfaceName, upload: uploadInterface(interfaceName) };
  let state: State | undefined;
  let last: Promise<void> = Promise.resolve();

  function inTurn(work: () => Promise<void>): Promise<void> {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  }

  /** @throws AgentError without what tc printed, which can hold a tunnel address */
  async function tell(commands: readonly string[]): Promise<void> {
    for (let at = 0; at < commands.length; at += BATCH_COMMANDS_MAX) {
      const batch = commands.slice(at, at + BATCH_COMMANDS_MAX);
      const { code, stderr } = await run("tc", ["-batch", "-"], { input: `${batch.join("\n")}\n` });
      if (code === 0) continue;
      state = undefined;
      const number = Number(/Command failed -:(\d+)/.exec(stderr)?.[1] ?? Number.NaN);
      const [object = "tc", verb = ""] = (batch[number - 1] ?? "").split(" ");
      throw new AgentError(
        `Speed limits could not be set: the kernel refused “${object} ${verb}”.${WHAT_IT_TAKES}`,
      );
    }
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
    await run("tc", ["qdisc", "del", "dev", links.tunnel, "ingress"]);
    await run("tc", ["qdisc", "del", "dev", links.tunnel, "root"]);
    await run("ip", ["link", "del", "dev", links.upload]);
  }

  async function begin(index: number): Promise<State> {
    await clear();
    const { code } = await run("ip", ["link", "add", links.upload, "type", "ifb"]);
    if (code !== 0)
      throw new AgentError(`Uploads cannot be limited: this kernel has no ifb.${WHAT_IT_TAKES}`);
    await run("ip", ["link", "set", "dev", links.upload, "up"]);
    await tell(foundation(links));
    return {
      interfaceIndex: index,
      devices: new Map(),
      freeMinors: [],
      items: new Map(),
      tables: new Set(),
    };
  }

  async function bring(limits: ReadonlyMap<string, Limit>): Promise<void> {
    const index = await interfaceIndex();
    if (index === undefined) {
      state = undefined;
      if (limits.size > 0)
        throw new AgentError("Speed limits wait for the tunnel interface, which is not there.");
      return;
    }
    if (state?.interfaceIndex !== index) {
      if (limits.size === 0) return clear();
      state = await begin(index);
    } else if (isUpheaval(state, limits)) {
      state = await begin(index);
    }
    const held = state;
    state = undefined; // until it is known to be what the kernel holds
    const { now, later } = changesOf(links, held, limits);
    await tell(now);
    state = held;
    if (later.length === 0) return;
    await sleep(DRAIN_MS);
    await tell(later);
  }

  return {
    apply: (limits) => inTurn(() => bring(new Map(limits))),
    forget: (publicKeys) =>
      inTurn(async () => {
        if (!state) return;
        const { devices } = state;
        const commands = [...new Set(publicKeys)].flatMap((key) => {
          const held = devices.get(key);
          return held
            ? [
                ...takeAway(links, held),
                ...removeQueue(links, held.minor),
                ...addQueue(links, held.minor, held.kbitPerSecond),
                ...leadTo(links, held),
              ]
            : [];
        });
        await tell(commands);
      }),
    remove: () => inTurn(clear),
  };
}

const WHAT_IT_TAKES = " It takes the modules sch_htb, sch_ingress, cls_u32, act_mirred and ifb.";

/** Then what waits in the queues is lost once, as on a line that fails over. */
function isUpheaval({ devices }: State, wanted: ReadonlyMap<string, Limit>): boolean {
  let changes = 0;
  for (const key of devices.keys()) if (!wanted.has(key)) changes++;
  for (const key of wanted.keys()) if (!devices.has(key)) changes++;
  return changes >= UPHEAVAL_DEVICES_MIN && changes * 2 > Math.max(devices.size, wanted.size);
}

/** The commands from what is held to what is wanted; the state is then that of afterwards. */
function changesOf(
  links: ShapedLinks,
  state: State,
  wanted: ReadonlyMap<string, Limit>,
): { now: string[]; later: string[] } {
  const now: string[] = [];
  // Making or removing a class, the kernel walks all filters: of many changes, the filters go first and come last.
  const filters: string[] = [];
  const later: string[] = [];
  const ended: number[] = [];
  for (const [key, held] of state.devices) {
    const limit = wanted.get(key);
    if (limit && textOf(limit.addresses) === held.addresses) continue;
    now.push(...drainQueue(links, held.minor), ...takeAway(links, held));
    later.push(...removeQueue(links, held.minor));
    for (const place of held.places) state.items.get(bucketOf(place))?.delete(place.item);
    ended.push(held.minor);
    state.devices.delete(key);
  }
  for (const [key, { addresses, kbitPerSecond }] of wanted) {
    const held = state.devices.get(key);
    if (held?.kbitPerSecond === kbitPerSecond) continue;
    if (held) {
      now.push(...changeQueue(links, held.minor, kbitPerSecond));
      state.devices.set(key, { ...held, kbitPerSecond });
      continue;
    }
    const places = addresses.map((text) => takePlace(state, text));
    const minor = takeMinor(state, ended.length);
    const added = { minor, kbitPerSecond, places, addresses: textOf(addresses) };
    for (const { family, high } of places) {
      if (state.tables.has(`${family}:${high}`)) continue;
      state.tables.add(`${family}:${high}`);
      filters.push(...lowerTable(links, family, high));
    }
    now.push(...addQueue(links, minor, kbitPerSecond));
    filters.push(...leadTo(links, added));
    state.devices.set(key, added);
  }
  // Their numbers are free only once they are gone.
  state.freeMinors.push(...ended);
  return { now: [...now, ...filters], later };
}

function leadTo(links: ShapedLinks, { minor, places }: Held): string[] {
  return places.flatMap((place) => addFilters(links, place, minor));
}

function takeAway(links: ShapedLinks, { places }: Held): string[] {
  return places.flatMap((place) => removeFilters(links, place));
}

function takePlace(state: State, text: string): Place {
  const parsed = parsePlace(text);
  if (!parsed) throw new AgentError("A device to be limited has a network in place of an address.");
  const bucket = bucketOf(parsed);
  const items = state.items.get(bucket) ?? new Set();
  state.items.set(bucket, items);
  return { ...parsed, item: lowestFree(items) };
}

/** @param ending classes that are still there, though their devices are not */
function takeMinor({ freeMinors, devices }: State, ending: number): number {
  // Without a free number, those in use are exactly the first ones.
  const minor = freeMinors.pop() ?? devices.size + ending + 1;
  if (minor > CLASSES_MAX) throw new AgentError(`More than ${CLASSES_MAX} devices cannot be limited.`);
  return minor;
}

function lowestFree(taken: Set<number>): number {
  for (let number = 1; number <= SAME_PLACE_MAX; number++) {
    if (taken.has(number)) continue;
    taken.add(number);
    return number;
  }
  throw new AgentError("Too many tunnel addresses end alike.");
}

function bucketOf({ family, high, low }: { family: Family; high: number; low: number }): string {
  return `${family}:${high}:${low}`;
}

function textOf(addresses: readonly string[]): string {
  return addresses.join(" ");
}
