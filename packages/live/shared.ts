import { randomUUID } from "node:crypto";
import { SECOND_MS } from "@securewave/foundation";
import type { NodeChannel } from "./batches.ts";
import {
  type BeatNode,
  beatOf,
  createJoiner,
  decodeText,
  encodeText,
  type Message,
  piecesOf,
  rosterIn,
  wholeOf,
} from "./messages.ts";
import type { Presence } from "./presence.ts";
import type { Usage } from "./usage.ts";

/** Where replicas hear each other. What is published is sealed, told to who listens, and kept by nobody. */
export interface SharedChannel {
  publish(topic: string, text: string): void;
  /** @returns how to stop */
  subscribe(
    topic: string,
    subscriber: { readonly heard: (text: string) => void; readonly listening?: () => void },
  ): () => void;
}

export interface SharingOptions {
  readonly channel: SharedChannel;
  readonly usage: Usage;
  readonly presence: Presence;
  /** How often each replica says which nodes it has. */
  readonly tickMs?: number;
  readonly steadyMs?: () => number;
}

const TOPIC = "live";
const TICK_MS = 5 * SECOND_MS;
/** A replica that was not heard for so many ticks is gone. */
const SILENT_TICKS_MAX = 3;

/** What is known of another replica. */
interface Replica {
  heardAtMs: number;
  nodes: Set<string>;
}

/**
 * Lets every replica know who is connected and what is used, wherever nodes are connected, by publishing and
 * subscribing alone. What a replica missed it asks for when it next hears a beat. While nothing can be heard, what was
 * known last stands, and each replica goes on with its own nodes.
 */
export function shareLive(options: SharingOptions): { close(): void } {
  const { channel, usage, presence, tickMs = TICK_MS } = options;
  const steadyMs = options.steadyMs ?? (() => performance.now());
  const self = randomUUID();
  const join = createJoiner();
  const replicas = new Map<string, Replica>();
  const remotes = new Map<string, NodeChannel>();
  /** When this replica heard itself last, and since when it has without a gap. */
  let heardSelfMs = Number.NEGATIVE_INFINITY;
  let hearingSinceMs = Number.NEGATIVE_INFINITY;
  /** While a message is heard, what follows from it is known to the others already. */
  let isHearing = false;
  let count = 0;

  function say(message: Message): void {
    for (const piece of piecesOf(message, `${self}:${count++}`)) channel.publish(TOPIC, piece);
  }

  function sayWhole(nodeId: string): void {
    const figures = usage.figuresOf(nodeId);
    if (!figures) return;
    say({ from: self, kind: "whole", ...wholeOf(figures, (slot) => usage.ownerIn(figures, slot)) });
  }

  function beat(): void {
    const nodes = presence.ownNodes().flatMap((id) => {
      const present = presence.of(id);
      return present ? [beatOf(id, present, presence.vitalsOf(id), usage.figuresOf(id))] : [];
    });
    say({ from: self, kind: "beat", nodes });
    dropSilent();
  }

  /** Nodes of a replica that is gone are connected nowhere, until they come back elsewhere; what they used stands. */
  function dropSilent(): void {
    const oldestMs = steadyMs() - SILENT_TICKS_MAX * tickMs;
    if (heardSelfMs < oldestMs || hearingSinceMs > oldestMs) return; // it is this replica that heard nothing
    for (const [id, replica] of replicas) {
      if (replica.heardAtMs >= oldestMs) continue;
      replicas.delete(id);
      for (const nodeId of replica.nodes) loseRemote(nodeId);
    }
  }

  function loseRemote(nodeId: string): void {
    if ([...replicas.values()].some(({ nodes }) => nodes.has(nodeId))) return; // it is at another one
    presence.removeElsewhere(nodeId);
    const remote = remotes.get(nodeId);
    remotes.delete(nodeId);
    if (remote) usage.disconnect(nodeId, remote);
  }

  function remoteOf(nodeId: string): NodeChannel {
    const known = remotes.get(nodeId);
    if (known) return known;
    const remote: NodeChannel = {
      close: (batch) => say({ from: self, kind: "close", id: nodeId, batch }),
      settled(incarnation, batch) {
        if (!isHearing) say({ from: self, kind: "settled", id: nodeId, incarnation, batch });
      },
      recount: () => undefined, // its own replica sees to it
    };
    remotes.set(nodeId, remote);
    return remote;
  }

  function hearBeat(from: string, nodes: readonly BeatNode[]): void {
    const known = replicas.get(from);
    const isAfterGap = !known || steadyMs() - known.heardAtMs > 2 * tickMs;
    const present = new Set(nodes.map(({ id }) => id));
    replicas.set(from, { heardAtMs: steadyMs(), nodes: present });
    const there = nodes.filter(({ id }) => !presence.isOwn(id));
    for (const { id, presence: told, vitals } of nodes) {
      presence.setElsewhere(id, { ...told, problem: told.problem ?? undefined }, vitals);
    }
    for (const { id } of there) usage.connect(id, remoteOf(id));
    for (const id of known?.nodes ?? []) if (!present.has(id)) loseRemote(id);
    const missing = there.filter((node) => node.incarnation !== null && (isAfterGap || !hasRoster(node)));
    if (missing.length > 0) say({ from: self, kind: "ask", ids: missing.map(({ id }) => id) });
  }

  function hasRoster({ id, incarnation, number }: BeatNode): boolean {
    const figures = usage.figuresOf(id);
    return figures?.incarnation === incarnation && figures.number === number;
  }

  function hearWhole(message: Extract<Message, { kind: "whole" }>): void {
    const { id, peers, owners, isCounted, report } = message;
    const roster = rosterIn(message);
    if (!roster || presence.isOwn(id)) return;
    if (isCounted) usage.believe(id);
    else usage.distrust(id, "earlier", false);
    const ownerBy = new Map(peers.map((key, at) => [key, owners[at] ?? undefined]));
    usage.takeRoster(id, roster, (key) => ownerBy.get(key), "replica");
    const frame = report === null ? undefined : decodeText(report);
    if (frame?.kind === "report") usage.takeReport(id, frame, "replica");
  }

  function hearFigures({ id, incarnation, bytes }: Extract<Message, { kind: "figures" }>): void {
    if (presence.isOwn(id) || usage.figuresOf(id)?.incarnation !== incarnation) return;
    const frame = decodeText(bytes);
    if (frame?.kind === "report") usage.takeReport(id, frame, "replica");
    if (frame?.kind === "batch") usage.takeBatch(id, frame, "replica");
  }

  function hear(message: Message): void {
    switch (message.kind) {
      case "beat":
        hearBeat(message.from, message.nodes);
        return;
      case "ask":
        for (const id of message.ids ?? presence.ownNodes()) if (presence.isOwn(id)) sayWhole(id);
        return;
      case "whole":
        hearWhole(message);
        return;
      case "slots": {
        const { id, incarnation, peers, owners } = message;
        if (presence.isOwn(id) || usage.figuresOf(id)?.incarnation !== incarnation) return;
        const ownerBy = new Map(peers.map((key, at) => [key, owners[at] ?? undefined]));
        usage.takeSlots(id, message, (key) => ownerBy.get(key), "replica");
        return;
      }
      case "figures":
        hearFigures(message);
        return;
      case "close":
        if (presence.isOwn(message.id)) usage.askBatch(message.id, message.batch);
        return;
      case "settled":
        usage.settledElsewhere(message.id, message.incarnation, message.batch);
    }
  }

  usage.listen({
    roster: ({ nodeId }) => sayWhole(nodeId),
    slots(figures, added) {
      const { nodeId: id, incarnation, number, keys } = figures;
      const from = keys.length - added;
      const owners = keys.slice(from).map((_, at) => usage.ownerIn(figures, from + at) ?? null);
      say({ from: self, kind: "slots", id, incarnation, number, peers: keys.slice(from), owners });
    },
    report: ({ nodeId: id, incarnation }, frame) =>
      say({ from: self, kind: "figures", id, incarnation, bytes: encodeText(frame) }),
    batch: ({ nodeId: id, incarnation }, frame) =>
      say({ from: self, kind: "figures", id, incarnation, bytes: encodeText(frame) }),
  });
  const stopPresence = presence.subscribe((nodeId) => {
    if (presence.isOwn(nodeId)) soon();
  });
  let isSoon = false;
  /** Others learn of a node that came or changed within a moment. */
  function soon(): void {
    if (isSoon) return;
    isSoon = true;
    setImmediate(() => {
      isSoon = false;
      if (!isClosed) beat();
    });
  }

  const stopHearing = channel.subscribe(TOPIC, {
    heard(piece) {
      const message = join(piece);
      if (!message) return;
      if (message.from === self) {
        const nowMs = steadyMs();
        if (nowMs - heardSelfMs > SILENT_TICKS_MAX * tickMs) hearingSinceMs = nowMs;
        heardSelfMs = nowMs;
        return;
      }
      isHearing = true;
      try {
        hear(message);
      } finally {
        isHearing = false;
      }
    },
    listening() {
      say({ from: self, kind: "ask" });
      for (const id of presence.ownNodes()) sayWhole(id);
      beat();
    },
  });
  let isClosed = false;
  const beating = setInterval(beat, tickMs);
  beating.unref();

  return {
    close() {
      isClosed = true;
      clearInterval(beating);
      stopPresence();
      stopHearing();
    },
  };
}
