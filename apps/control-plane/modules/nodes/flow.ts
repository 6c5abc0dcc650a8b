import { NODE_FRAME_BYTES_MAX } from "@securewave/contracts/node-protocol";

/**
 * How much work a node makes this process do: an honest one needs a few frames in five seconds, two for each change, and
 * a few megabytes after it has connected. What goes beyond is read later, so that a flood fills the node's own buffers.
 */
export interface Flow {
  /** Notes a frame that came, or what it has cost to answer one. */
  take(bytes: number): void;
  close(): void;
}

export interface FlowOptions {
  /** Stops reading, and goes on. */
  readonly socket: { pause(): void; resume(): void };
  /** Hears of the first time only. */
  readonly onHeldBack: () => void;
  readonly limits?: FlowLimits;
}

export interface FlowLimits {
  readonly framesPerSecond: number;
  readonly framesMax: number;
  readonly bytesPerSecond: number;
  readonly bytesMax: number;
}

/** With 2,000 devices coming and going a second, a node's answers are read a few seconds late. */
const LIMITS: FlowLimits = {
  framesPerSecond: 500,
  framesMax: 5_000,
  bytesPerSecond: NODE_FRAME_BYTES_MAX / 6,
  bytesMax: 2 * NODE_FRAME_BYTES_MAX,
};

export function createFlow({ socket, onHeldBack, limits = LIMITS }: FlowOptions): Flow {
  const { framesPerSecond, framesMax, bytesPerSecond, bytesMax } = limits;
  let frames = framesMax;
  let bytes = bytesMax;
  let atMs = performance.now();
  let waiting: NodeJS.Timeout | undefined;
  let wasHeldBack = false;

  function refill(): void {
    const nowMs = performance.now();
    const seconds = (nowMs - atMs) / 1000;
    atMs = nowMs;
    frames = Math.min(framesMax, frames + seconds * framesPerSecond);
    bytes = Math.min(bytesMax, bytes + seconds * bytesPerSecond);
  }

  function wait(): void {
    const seconds = Math.max(-frames / framesPerSecond, -bytes / bytesPerSecond);
    if (!wasHeldBack) onHeldBack();
    wasHeldBack = true;
    socket.pause();
    waiting = setTimeout(
      () => {
        waiting = undefined;
        socket.resume();
      },
      Math.ceil(seconds * 1000),
    ).unref();
  }

  return {
    take(size) {
      refill();
      frames -= 1;
      bytes -= size;
      if ((frames < 0 || bytes < 0) && waiting === undefined) wait();
    },
    close() {
      clearTimeout(waiting);
      waiting = undefined;
      socket.resume();
    },
  };
}
