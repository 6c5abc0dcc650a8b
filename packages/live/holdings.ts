import { createAccounts } from "./accounts.ts";
import {
  addSlot,
  at,
  copySlot,
  createFigures,
  type Figures,
  NOBODY,
  ownerAt,
  reserve,
  unsettledIn,
} from "./figures.ts";
import { createPlaces, type Places } from "./places.ts";
import { type NodeRoster, slotsByKey } from "./rosters.ts";
import type { NodePart } from "./settling.ts";

/** Whose a key is, as far as its node may speak of it. */
export type OwnerOf = (publicKey: string) => string | undefined;

/**
 * The figures of all nodes and, by account, what of them is not settled: always the sum over the account's slots, and
 * of what slots left that are gone.
 */
export interface Holdings {
  readonly accounts: ReturnType<typeof createAccounts>;
  readonly places: Places;
  readonly nodes: Map<string, Figures>;
  /** Puts a roster in the place of what was held of the node, keeping what is known of keys that go on. */
  install(nodeId: string, roster: NodeRoster, ownerOf: OwnerOf, isCounted: boolean): Figures;
  /** Adds a slot of which nothing was counted. */
  enter(figures: Figures, publicKey: string, ownerOf: OwnerOf): void;
  /** What an incarnation counted stays, though no report will name it again. */
  end(figures: Figures): void;
  hasEnded(nodeId: string, incarnation: string): boolean;
  /** Takes the slots out; their bytes are the caller's to account for. */
  clear(figures: Figures): void;
  forgetNode(nodeId: string): void;
  /** Adds to what is unsettled of an account; nobody has none. */
  count(owner: number, bytes: number): void;
  /**
   * Takes off what a batch settled, of slots and of what slots left.
   *
   * @returns whether the node is to be told
   */
  settlePart(part: NodePart): boolean;
  /** What slots left that are gone, by account. */
  left(): Map<number, number>;
  takeFromLeft(owner: number, bytes: number): void;
}

const ENDED_MAX = 32;

/** @param ending an incarnation is at its end, and its sessions with it */
export function createHoldings(ending: (figures: Figures) => void): Holdings {
  const accounts = createAccounts();
  const places = createPlaces();
  const nodes = new Map<string, Figures>();
  const ended = new Map<string, Set<string>>();
  /** Unsettled bytes that no slot has any more, by account. */
  const left = new Map<number, number>();

  function leave(owner: number, bytes: number): void {
    if (owner !== NOBODY && bytes > 0) left.set(owner, (left.get(owner) ?? 0) + bytes);
  }

  function takeFromLeft(owner: number, bytes: number): void {
    if (owner === NOBODY || bytes === 0) return;
    const held = left.get(owner) ?? 0;
    const taken = Math.min(held, bytes);
    if (taken === held) left.delete(owner);
    else left.set(owner, held - taken);
    accounts.add(owner, -taken);
    accounts.tidy(owner);
  }

  function enterSlot(figures: Figures, publicKey: string, owner: number): number {
    const slot = addSlot(figures, publicKey, owner);
    if (owner === NOBODY) return slot; // what is nobody's is neither counted nor shown
    places.add(publicKey, figures, slot);
    accounts.addKey(owner, publicKey);
    return slot;
  }

  function clear(figures: Figures): void {
    for (let slot = 0; slot < figures.keys.length; slot++) {
      const key = figures.keys[slot] ?? "";
      const owner = ownerAt(figures.owners, slot);
      if (owner === NOBODY) continue;
      places.remove(key, figures);
      accounts.removeKey(owner, key);
      accounts.tidy(owner);
    }
  }

  function end(figures: Figures): void {
    ending(figures);
    if (figures.isCounted) {
      for (let slot = 0; slot < figures.keys.length; slot++) {
        leave(ownerAt(figures.owners, slot), unsettledIn(figures, slot));
      }
      const past = ended.get(figures.nodeId) ?? new Set();
      ended.set(figures.nodeId, past.add(figures.incarnation));
      const [oldest] = past;
      if (past.size > ENDED_MAX && oldest !== undefined) past.delete(oldest);
    }
    clear(figures);
  }

  function numberOfOwner(publicKey: string, ownerOf: OwnerOf): number {
    const id = ownerOf(publicKey);
    return id === undefined ? NOBODY : accounts.numberOf(id);
  }

  function install(nodeId: string, roster: NodeRoster, ownerOf: OwnerOf, isCounted: boolean): Figures {
    const held = nodes.get(nodeId);
    const rosterSlots = roster.peers.length;
    const next = createFigures(nodeId, roster.incarnation, { ...roster, rosterSlots, isCounted });
    reserve(next, rosterSlots);
    if (held?.incarnation === next.incarnation && held.isCounted === isCounted) {
      carryOn(held, next, roster, ownerOf);
    } else {
      for (const index of roster.peers.keys()) enterFrom(roster, index, next, ownerOf);
      if (held) end(held);
    }
    nodes.set(nodeId, next);
    return next;
  }

  /** Enters one slot of a roster: until a report says more, its totals are what is settled. */
  function enterFrom(roster: NodeRoster, index: number, next: Figures, ownerOf: OwnerOf): number {
    const key = roster.peers[index] ?? "";
    const slot = enterSlot(next, key, numberOfOwner(key, ownerOf));
    const { received, sent } = roster.settled;
    for (const column of [next.settledReceived, next.received]) column[slot] = at(received, index);
    for (const column of [next.settledSent, next.sent]) column[slot] = at(sent, index);
    return slot;
  }

  /** A roster of the same incarnation: totals and sessions go on, slots that are gone stay with their accounts. */
  function carryOn(held: Figures, next: Figures, roster: NodeRoster, ownerOf: OwnerOf): void {
    const former = slotsByKey(held);
    const knownOwner: OwnerOf = (key) => {
      const slot = former.get(key);
      return (slot === undefined ? undefined : accounts.idOf(ownerAt(held.owners, slot))) ?? ownerOf(key);
    };
    const isSameOrder = held.keys.every((key, slot) => roster.peers[slot] === key);
    if (isSameOrder && held.frozen && held.frozen.batch > next.batch) next.frozen = held.frozen;
    next.hasReport = held.hasReport;
    next.reportedAtMs = held.reportedAtMs;
    next.steadyAtMs = held.steadyAtMs;
    next.spareBytes = held.spareBytes;
    for (const [index, key] of roster.peers.entries()) {
      const slot = enterFrom(roster, index, next, knownOwner);
      const old = former.get(key);
      if (old !== undefined) move(held, old, next, slot);
      former.delete(key);
    }
    if (next.isCounted) {
      for (const slot of former.values()) leave(ownerAt(held.owners, slot), unsettledIn(held, slot));
    }
    clear(held);
  }

  function move(held: Figures, old: number, next: Figures, slot: number): void {
    copySlot(held, old, next, slot);
    if (!next.isCounted) return;
    const before = ownerAt(held.owners, old) === NOBODY ? 0 : unsettledIn(held, old);
    count(ownerAt(next.owners, slot), unsettledIn(next, slot) - before);
  }

  function count(owner: number, bytes: number): void {
    if (owner !== NOBODY) accounts.add(owner, bytes);
  }

  function settlePart(part: NodePart): boolean {
    const { nodeId, incarnation, batch, owners, settled } = part;
    const held = nodes.get(nodeId);
    const figures = held?.incarnation === incarnation && held.isCounted ? held : undefined;
    if (figures && figures.batch >= batch) return false; // the node said it first
    const slots = figures && slotsByKey(figures);
    for (const [index, key] of part.keys.entries()) {
      const [received, sent] = [at(settled.received, index), at(settled.sent, index)];
      const slot = slots?.get(key);
      if (figures && slot !== undefined) {
        figures.settledReceived[slot] = at(figures.settledReceived, slot) + received;
        figures.settledSent[slot] = at(figures.settledSent, slot) + sent;
        count(ownerAt(owners, index), -(received + sent));
      } else takeFromLeft(ownerAt(owners, index), received + sent);
    }
    if (!figures) return false;
    figures.batch = batch;
    figures.frozen = undefined;
    return true;
  }

  return {
    accounts,
    places,
    nodes,
    install,
    enter: (figures, publicKey, ownerOf) =>
      void enterSlot(figures, publicKey, numberOfOwner(publicKey, ownerOf)),
    end,
    hasEnded: (nodeId, incarnation) => ended.get(nodeId)?.has(incarnation) === true,
    clear,
    forgetNode(nodeId) {
      const figures = nodes.get(nodeId);
      if (figures) end(figures);
      nodes.delete(nodeId);
      ended.delete(nodeId);
    },
    count,
    settlePart,
    left: () => new Map(left),
    takeFromLeft,
  };
}
