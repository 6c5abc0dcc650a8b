import type { Clock } from "@securewave/foundation";
import type { Origin } from "../origins/index.ts";
import type { Block } from "./block.ts";
import { createNetworks } from "./networks.ts";

/** The blocks that this process holds, found by what a request brings. */
export interface HeldBlocks {
  has(id: string): boolean;
  /** Does nothing for a block that has ended or is held already. */
  put(block: Block): void;
  remove(id: string): Block | undefined;
  findTag(tag: string): Block | undefined;
  find(origin: Origin): Block | undefined;
  /** Those that have not ended, in no order. */
  all(): Block[];
}

/** @param blocksMax of more, those that end first are dropped */
export function holdBlocks(clock: Clock, blocksMax: number): HeldBlocks {
  const byId = new Map<string, Block>();
  /** Of several blocks of a tag the one that ends last. */
  const byTag = new Map<string, Block>();
  const networks = createNetworks<Block>();
  const isActive = (block: Block) => block.until > clock.now();

  function index(block: Block): void {
    if (block.kind === "network") networks.set(block.id, block.value, block);
    else if (block.until > (byTag.get(block.value)?.until ?? 0)) byTag.set(block.value, block);
  }

  function remove(id: string): Block | undefined {
    const block = byId.get(id);
    if (!block) return undefined;
    byId.delete(id);
    if (block.kind === "network") networks.delete(id);
    else if (byTag.get(block.value) === block) {
      byTag.delete(block.value);
      for (const other of byId.values()) if (other.value === block.value) index(other);
    }
    return block;
  }

  function sweep(): void {
    const nowMs = clock.now();
    for (const block of byId.values()) {
      if (block.until > nowMs) continue;
      byId.delete(block.id);
      networks.delete(block.id);
      if (byTag.get(block.value) === block) byTag.delete(block.value); // it ended last
    }
  }

  /** Room for a tenth more, so that it is not made for each. */
  function makeRoom(): void {
    sweep();
    if (byId.size < blocksMax) return;
    const byEnd = [...byId.values()].sort((a, b) => a.until - b.until);
    for (const block of byEnd.slice(0, Math.ceil(blocksMax / 10))) remove(block.id);
  }

  function findTag(tag: string): Block | undefined {
    const block = byTag.get(tag);
    return block && isActive(block) ? block : undefined;
  }

  return {
    has: (id) => byId.has(id),
    put(block) {
      if (!isActive(block) || byId.has(block.id)) return;
      if (byId.size >= blocksMax) makeRoom();
      byId.set(block.id, block);
      index(block);
    },
    remove,
    findTag,
    find({ address, tag, previousTag }) {
      if (byId.size === 0) return undefined;
      return findTag(tag) ?? findTag(previousTag) ?? networks.find(address, isActive);
    },
    all() {
      sweep();
      return [...byId.values()];
    },
  };
}
