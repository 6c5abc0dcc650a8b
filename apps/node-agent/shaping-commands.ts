/**
 * What `ip`, `tc` and `nft` are told so that devices are limited.
 *
 * nftables looks a packet's tunnel address up in a map, as it leaves by the tunnel interface (download) and as it comes
 * in by it (upload), gives it the id of its class as priority, and hands it to the interface, of the kernel's kind ifb,
 * where HTB holds that class: HTB takes a class that a packet's priority names without any filter. There it waits for
 * its turn, and then goes on where it came from. Who is not limited takes no detour.
 *
 * Making or removing a class, the kernel walks all classes of the same queue (`tc_bind_tclass`). So they are dealt out
 * to shards, each with an interface and a queue per direction.
 *
 * @see tc-htb(8), nft(8) “FWD STATEMENT”
 */
import { createHash } from "node:crypto";

export interface ShapedLinks {
  readonly tunnel: string;
  /** Of nftables' family netdev. */
  readonly table: string;
  /** A group of interfaces, by which all of this tunnel's can be removed at once. */
  readonly group: number;
  /** The interface that packets of a shard are led through. */
  queueLink(direction: Direction, shard: number): string;
}

export type Direction = "down" | "up";

/** A class in the queues of both directions: for all addresses of one device. */
export interface Place {
  readonly shard: number;
  /** 1 to `SHARD_CLASSES_MAX`; 0 is the queue itself. */
  readonly minor: number;
}

/** A tunnel address without prefix length, in canonical text. */
export type Address = string;

/** Walking so many takes the kernel less than running a program. */
export const SHARD_CLASSES_MAX = 512;
export const SHARDS_MAX = 128;
/** Major part of the first shard's class ids; one that is unlikely to be that of a queue which customers' packets meet later. */
const FIRST_MAJOR = 0x5e00;
/** So much may go at once after a pause: on a busy machine queues wake tens of milliseconds late, and must catch up. */
const BURST_SECONDS = 0.05;
const BURST_BYTES_MIN = 4096;
/** So long a packet waits at most. */
const QUEUE_SECONDS = 0.25;
/** Two of the largest packets that the kernel hands on as one (64 KiB): one that fits in no queue would never go. */
const QUEUE_BYTES_MIN = 128 * 1024;
/** Drains whatever waits within a moment. */
const DRAINING_KBIT_PER_SECOND = 10_000_000;
const DIRECTIONS: readonly Direction[] = ["down", "up"];
const MAPS = [
  { name: "speed4", type: "ipv4_addr", family: "ip" },
  { name: "speed6", type: "ipv6_addr", family: "ip6" },
];

/** The same names for a tunnel interface at all times: what an agent before this one left is found by them. */
export function linksOf(tunnel: string): ShapedLinks {
  const hash = createHash("sha256").update(tunnel).digest();
  const mark = hash.toString("hex", 0, 4);
  return {
    tunnel,
    table: `securewave_speed_${mark}`,
    // The kernel takes it for a signed number; 0 is the group of all other interfaces.
    group: (hash.readUInt32BE(4) >>> 1) | 1,
    queueLink: (direction, shard) => `sw${direction === "down" ? "d" : "u"}${mark}${hex(shard)}`,
  };
}

/** For `nft`: maps and chains, with nothing in them. */
export function foundation({ table, tunnel }: ShapedLinks): string[] {
  return [
    `add table netdev ${table}`,
    ...MAPS.map(({ name, type }) => `add map netdev ${table} ${name} { type ${type} : classid; }`),
    `add chain netdev ${table} down { type filter hook egress device "${tunnel}" priority 0; }`,
    `add chain netdev ${table} up { type filter hook ingress device "${tunnel}" priority 0; }`,
  ];
}

/** For `nft`; succeeds also where there is none. */
export function removeFoundation({ table }: ShapedLinks): string[] {
  return [`add table netdev ${table}`, `delete table netdev ${table}`];
}

/** For `ip`. */
export function addQueueLinks(links: ShapedLinks, shard: number): string[] {
  return queueLinksOf(links, shard).map((name) => `link add ${name} up group ${links.group} type ifb`);
}

/** For `tc`. */
export function addQueues(links: ShapedLinks, shard: number): string[] {
  return queueLinksOf(links, shard).map(
    (name) => `qdisc add dev ${name} root handle ${majorOf(shard)}: htb default 0`,
  );
}

/** For `nft`: leads packets to so many shards. */
export function leadToShards(links: ShapedLinks, shards: number): string[] {
  return DIRECTIONS.flatMap((direction) => {
    const chain = `netdev ${links.table} ${direction}`;
    const end = direction === "down" ? "daddr" : "saddr";
    const queues = Array.from(
      { length: shards },
      (_, shard) => `${majorOf(shard)}:0 : "${links.queueLink(direction, shard)}"`,
    );
    return [
      `flush chain ${chain}`,
      ...MAPS.map(({ name, family }) => `add rule ${chain} meta priority set ${family} ${end} map @${name}`),
      `add rule ${chain} fwd to meta priority & 0xffff0000 map { ${queues.join(", ")} }`,
    ];
  });
}

export function addClass(links: ShapedLinks, place: Place, kbitPerSecond: number): string[] {
  return changeClass(links, place, kbitPerSecond, "add");
}

/** Changes the speed; what waits goes on waiting. */
export function changeClass(
  links: ShapedLinks,
  place: Place,
  kbitPerSecond: number,
  verb: "add" | "change" = "change",
): string[] {
  const bytesPerSecond = (kbitPerSecond * 1000) / 8;
  const burst = Math.max(BURST_BYTES_MIN, Math.ceil(bytesPerSecond * BURST_SECONDS));
  const limit = Math.max(QUEUE_BYTES_MIN, Math.ceil(bytesPerSecond * QUEUE_SECONDS));
  const speed = `rate ${kbitPerSecond}kbit ceil ${kbitPerSecond}kbit burst ${burst} cburst ${burst} quantum 1600`;
  return queueLinksOf(links, place.shard).flatMap((name) => [
    `class ${verb} dev ${name} parent ${majorOf(place.shard)}: classid ${classId(place)} htb ${speed}`,
    `qdisc ${verb} dev ${name} parent ${classId(place)} bfifo limit ${limit}`,
  ]);
}

/** Lets what waits go at once, so that the class can be removed without loss. */
export function drainClass(links: ShapedLinks, place: Place): string[] {
  const speed = `rate ${DRAINING_KBIT_PER_SECOND}kbit ceil ${DRAINING_KBIT_PER_SECOND}kbit quantum 1600`;
  return queueLinksOf(links, place.shard).map(
    (name) =>
      `class change dev ${name} parent ${majorOf(place.shard)}: classid ${classId(place)} htb ${speed}`,
  );
}

export function removeClass(links: ShapedLinks, place: Place): string[] {
  return queueLinksOf(links, place.shard).map((name) => `class del dev ${name} classid ${classId(place)}`);
}

/** For `nft`: leads addresses to their classes. */
export function addAddresses(
  { table }: ShapedLinks,
  added: readonly (readonly [Address, Place])[],
): string[] {
  return MAPS.flatMap(({ name, family }) => {
    const elements = added.filter(([address]) => familyOf(address) === family);
    if (elements.length === 0) return [];
    const texts = elements.map(([address, place]) => `${address} : ${classId(place)}`);
    return `add element netdev ${table} ${name} { ${texts.join(", ")} }`;
  });
}

/** For `nft`. */
export function removeAddresses({ table }: ShapedLinks, removed: readonly Address[]): string[] {
  return MAPS.flatMap(({ name, family }) => {
    const elements = removed.filter((address) => familyOf(address) === family);
    return elements.length === 0 ? [] : `delete element netdev ${table} ${name} { ${elements.join(", ")} }`;
  });
}

function queueLinksOf(links: ShapedLinks, shard: number): string[] {
  return DIRECTIONS.map((direction) => links.queueLink(direction, shard));
}

function familyOf(address: Address): string {
  return address.includes(":") ? "ip6" : "ip";
}

function classId({ shard, minor }: Place): string {
  return `${majorOf(shard)}:${hex(minor)}`;
}

function majorOf(shard: number): string {
  return hex(FIRST_MAJOR + shard);
}

function hex(number: number): string {
  return number.toString(16);
}
