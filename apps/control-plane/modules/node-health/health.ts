import type { NodeHealth, NodeHealthSample } from "@securewave/contracts";
import type { HealthFrame } from "@securewave/contracts/node-frames";
import {
  type Connections,
  floorOf,
  type NodeVitals,
  type Presence,
  rangeOf,
  speedFloorOf,
  speedRangeOf,
} from "@securewave/live";
import { createRing, type Ring, SAMPLE_MS, type Sample } from "./ring.ts";

export interface HealthOptions {
  readonly presence: Presence;
  readonly connections: Pick<Connections, "countOf">;
  readonly steadyMs?: () => number;
  readonly sampleMs?: number;
}

/** How nodes are and were in the last hour, wherever they are connected; in this process's memory only. */
export interface Health {
  /** Takes in what a node that is connected here says of its machine. */
  take(nodeId: string, frame: HealthFrame): void;
  /** Undefined while nothing is known. */
  of(nodeId: string): NodeHealth | undefined;
  /** Of the last hour, the oldest first; none for the time in which a node was not connected. */
  samplesOf(nodeId: string): NodeHealthSample[];
  close(): void;
}

/** From so many devices on, what they carry together tells nothing of one (ZERO-LOG R9). */
const SHARERS_MIN = 10;
/** Of shares. */
const STEPS = 20;

export function createHealth(options: HealthOptions): Health {
  const { presence, connections } = options;
  const steadyMs = options.steadyMs ?? (() => performance.now());
  const rings = new Map<string, Ring>();

  const isShared = (nodeId: string) => connections.countOf(nodeId) >= SHARERS_MIN;

  function sampleOf(nodeId: string, vitals: NodeVitals): Sample {
    const { processor, memory, receivedBitsPerSecond, sentBitsPerSecond, ...others } = vitals;
    const isTold = receivedBitsPerSecond !== null && sentBitsPerSecond !== null;
    return {
      ...others,
      atMs: steadyMs(),
      processor: processor === null ? null : stepOf(processor),
      memory: memory === null ? null : stepOf(memory),
      troubles: isShared(nodeId) ? vitals.troubles : null,
      throughputFloor:
        isShared(nodeId) && isTold ? speedFloorOf(receivedBitsPerSecond + sentBitsPerSecond) : null,
      connectedFloor: floorOf(connections.countOf(nodeId)),
    };
  }

  function sample(): void {
    const connected = new Set(presence.connectedNodes());
    for (const nodeId of connected) {
      const vitals = presence.vitalsOf(nodeId);
      if (!vitals) continue;
      const ring = rings.get(nodeId) ?? createRing();
      rings.set(nodeId, ring);
      ring.add(sampleOf(nodeId, vitals));
    }
    for (const [nodeId, ring] of rings) {
      if (connected.has(nodeId) || ring.since(steadyMs()).length > 0) continue;
      rings.delete(nodeId);
    }
  }

  const sampling = setInterval(sample, options.sampleMs ?? SAMPLE_MS);
  sampling.unref();

  return {
    take: (nodeId, frame) => presence.noteVitals(nodeId, frame),
    of(nodeId) {
      const vitals = presence.vitalsOf(nodeId);
      return vitals && viewOf(sampleOf(nodeId, vitals));
    },
    samplesOf(nodeId) {
      const nowMs = steadyMs();
      const samples = rings.get(nodeId)?.since(nowMs) ?? [];
      return samples.map((taken) => ({
        age_seconds: Math.max(0, Math.round((nowMs - taken.atMs) / 1000)),
        ...viewOf(taken),
      }));
    },
    close: () => clearInterval(sampling),
  };
}

function viewOf(sample: Sample): NodeHealth {
  const { processor, memory, troubles, throughputFloor, connectedFloor } = sample;
  return {
    processor,
    memory,
    throughput: throughputFloor === null ? null : speedRangeOf(throughputFloor),
    troubles,
    connected: rangeOf(connectedFloor),
    handshake_ms: sample.handshakeMs,
    echo_ms: sample.echoMs,
    probes_lost: sample.probesLost,
  };
}

function stepOf(share: number): number {
  return Math.round(share * STEPS) / STEPS;
}
