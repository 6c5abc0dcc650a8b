/**
 * What `tc` is told so that devices are limited. Download leaves by the tunnel interface (`tunnel`), so it waits in
 * a queue there. Upload comes in by it, where nothing can wait: it is led through an interface of its own (`upload`,
 * of the kernel's kind ifb) and waits at that one's end. Who is not limited takes no detour.
 *
 * A packet finds its queue by two hash tables, by the last byte but one of its tunnel address and then by the last
 * four bits: 4096 places, so that the cost of a packet hardly grows with the number of devices. More places would
 * make each change dearer: the kernel walks all of them when a queue comes or goes.
 *
 * @see tc-htb(8), tc-u32(8), tc-mirred(8)
 */
import { invariant } from "@securewave/foundation";
import { type Family, parseAddress } from "@securewave/wireguard";

export interface ShapedLinks {
  readonly tunnel: string;
  readonly upload: string;
}

/** A tunnel address and where it stands in the hash tables. */
export interface Place {
  readonly family: Family;
  readonly address: string;
  /** The last byte but one. */
  readonly high: number;
  /** The last four bits. */
  readonly low: number;
  /** Tells addresses of the same place apart; 1 to `SAME_PLACE_MAX`. */
  readonly item: number;
}

/** u32 numbers the items of a bucket by 12 bits, of which it gives the upper half itself. */
export const SAME_PLACE_MAX = 0x7ff;
/** The minor part of a class id has 16 bits; 0 is the qdisc itself. */
export const CLASSES_MAX = 0xffff;
/** So much may go at once after a pause; the kernel's timers wake a queue more often than that. */
const BURST_SECONDS = 0.01;
const BURST_BYTES_MIN = 4096;
/** So long a packet waits at most. */
const QUEUE_SECONDS = 0.25;
/** Two of the largest packets that the kernel hands on as one (64 KiB): one that fits in no queue would never go. */
const QUEUE_BYTES_MIN = 128 * 1024;
/** Drains whatever waits within a moment. */
const DRAINING_KBIT_PER_SECOND = 10_000_000;

interface Lookup {
  readonly device: string;
  readonly parent: string;
  /** Whose address is looked up. */
  readonly end: "dst" | "src";
}

function lookupsOf({ tunnel, upload }: ShapedLinks): readonly Lookup[] {
  return [
    { device: tunnel, parent: "1:", end: "dst" },
    { device: upload, parent: "1:", end: "src" },
    { device: tunnel, parent: "ffff:", end: "src" },
  ];
}

interface Header {
  readonly protocol: string;
  readonly prefixLength: number;
  readonly match: string;
  readonly priority: number;
  /** Where the last four bytes of an address stand in the header: RFC 791 §3.1, RFC 8200 §3. */
  readonly lastWordAt: Readonly<Record<Lookup["end"], number>>;
  readonly highTable: number;
  /** The first of 256. */
  readonly lowTables: number;
}

const HEADERS: Readonly<Record<Family, Header>> = {
  4: {
    protocol: "ip",
    prefixLength: 32,
    match: "ip",
    priority: 1,
    lastWordAt: { src: 12, dst: 16 },
    highTable: 1,
    lowTables: 0x100,
  },
  6: {
    protocol: "ipv6",
    prefixLength: 128,
    match: "ip6",
    priority: 2,
    lastWordAt: { src: 20, dst: 36 },
    highTable: 2,
    lowTables: 0x200,
  },
};

/** @param text with or without the prefix length of a single address; undefined when it is not one */
export function parsePlace(text: string): Omit<Place, "item"> | undefined {
  const [plain = "", length] = text.split("/");
  const address = parseAddress(plain);
  if (!address || (length !== undefined && Number(length) !== HEADERS[address.family].prefixLength)) return;
  return {
    family: address.family,
    address: plain,
    high: Number((address.value >> 8n) & 0xffn),
    low: Number(address.value & 0xfn),
  };
}

/** Makes the queues and the upper tables on interfaces that have none. */
export function foundation(links: ShapedLinks): string[] {
  const { tunnel, upload } = links;
  return [
    `qdisc add dev ${tunnel} root handle 1: htb default 0`,
    `qdisc add dev ${upload} root handle 1: htb default 0`,
    `qdisc add dev ${tunnel} handle ffff: ingress`,
    ...lookupsOf(links).flatMap((lookup) =>
      Object.values(HEADERS).flatMap((header) => [
        `${filter("add", lookup, header)} handle ${hex(header.highTable)}: u32 divisor 256`,
        `${filter("add", lookup, header)} u32 match u32 0 0 hashkey mask 0x0000ff00 at ${header.lastWordAt[lookup.end]} link ${hex(header.highTable)}:`,
      ]),
    ),
  ];
}

/** Makes the table for addresses whose last byte but one is `high`. */
export function lowerTable(links: ShapedLinks, family: Family, high: number): string[] {
  const header = HEADERS[family];
  const table = hex(header.lowTables + high);
  return lookupsOf(links).flatMap((lookup) => [
    `${filter("add", lookup, header)} handle ${table}: u32 divisor 16`,
    `${filter("add", lookup, header)} handle ${hex(header.highTable)}:${hex(high)}:1 u32 ht ${hex(header.highTable)}:${hex(high)}: match u32 0 0 hashkey mask 0x0000000f at ${header.lastWordAt[lookup.end]} link ${table}:`,
  ]);
}

export function addQueue(links: ShapedLinks, minor: number, kbitPerSecond: number): string[] {
  return changeQueue(links, minor, kbitPerSecond, "add");
}

/** Changes the speed; what waits goes on waiting. */
export function changeQueue(
  { tunnel, upload }: ShapedLinks,
  minor: number,
  kbitPerSecond: number,
  verb: "add" | "change" = "change",
): string[] {
  const bytesPerSecond = (kbitPerSecond * 1000) / 8;
  const burst = Math.max(BURST_BYTES_MIN, Math.ceil(bytesPerSecond * BURST_SECONDS));
  const limit = Math.max(QUEUE_BYTES_MIN, Math.ceil(bytesPerSecond * QUEUE_SECONDS));
  const speed = `rate ${kbitPerSecond}kbit ceil ${kbitPerSecond}kbit burst ${burst} cburst ${burst} quantum 1600`;
  return [tunnel, upload].flatMap((device) => [
    `class ${verb} dev ${device} parent 1: classid 1:${hex(minor)} htb ${speed}`,
    `qdisc ${verb} dev ${device} parent 1:${hex(minor)} bfifo limit ${limit}`,
  ]);
}

/** Lets what waits go at once, so that the queue can be removed without loss. */
export function drainQueue({ tunnel, upload }: ShapedLinks, minor: number): string[] {
  const speed = `rate ${DRAINING_KBIT_PER_SECOND}kbit ceil ${DRAINING_KBIT_PER_SECOND}kbit quantum 1600`;
  return [tunnel, upload].map(
    (device) => `class change dev ${device} parent 1: classid 1:${hex(minor)} htb ${speed}`,
  );
}

/** Once no filter leads to it. */
export function removeQueue({ tunnel, upload }: ShapedLinks, minor: number): string[] {
  return [tunnel, upload].map((device) => `class del dev ${device} classid 1:${hex(minor)}`);
}

/** Leads an address to its queue: the detour comes last, when all behind it is there. */
export function addFilters(links: ShapedLinks, place: Place, minor: number): string[] {
  const header = HEADERS[place.family];
  const bucket = `${hex(header.lowTables + place.high)}:${hex(place.low)}:`;
  return lookupsOf(links).map((lookup) => {
    const to =
      lookup.parent === "1:" ? `flowid 1:${hex(minor)}` : `action mirred egress redirect dev ${links.upload}`;
    return `${filter("add", lookup, header)} handle ${bucket}${hex(place.item)} u32 ht ${bucket} match ${header.match} ${lookup.end} ${place.address}/${header.prefixLength} ${to}`;
  });
}

export function removeFilters(links: ShapedLinks, place: Place): string[] {
  const header = HEADERS[place.family];
  const handle = `${hex(header.lowTables + place.high)}:${hex(place.low)}:${hex(place.item)}`;
  return lookupsOf(links)
    .map((lookup) => `${filter("del", lookup, header)} handle ${handle} u32`)
    .reverse();
}

function filter(verb: "add" | "del", { device, parent }: Lookup, { priority, protocol }: Header): string {
  return `filter ${verb} dev ${device} parent ${parent} prio ${priority} protocol ${protocol}`;
}

function hex(number: number): string {
  invariant(Number.isInteger(number) && number >= 0, "tc counts in whole numbers");
  return number.toString(16);
}
