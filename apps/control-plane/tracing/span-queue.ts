import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";

export interface SpanQueueOptions {
  /** Resolves to whether the collector has taken them. */
  readonly deliver: (spans: ReadableSpan[]) => Promise<boolean>;
  readonly onDrop: (count: number) => void;
  readonly spansMax?: number;
  readonly batchMax?: number;
  readonly delayMs?: number;
}

export interface SpanQueue {
  add(span: ReadableSpan): void;
  /** Delivers what waits, for as long as it may take; what is left then is dropped. */
  close(graceMs: number): Promise<void>;
}

/** OpenTelemetry's own default is 2048, of which a burst of 5,000 overflowed: 2,440 were lost without a word. */
const SPANS_MAX = 8192;
/** Small enough that writing one as JSON takes the event loop a millisecond or two. */
const BATCH_MAX = 256;
const DELAY_MS = 5000;

/**
 * Keeps spans until a batch is full or has waited long enough. One batch is on its way at a time, and the number of
 * those that wait has a limit, so a collector that is slow or away costs bounded memory and no request any time.
 */
export function createSpanQueue(options: SpanQueueOptions): SpanQueue {
  const { deliver, onDrop, spansMax = SPANS_MAX, batchMax = BATCH_MAX, delayMs = DELAY_MS } = options;
  const waiting: ReadableSpan[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let isClosed = false;

  async function send(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    do {
      const batch = waiting.splice(0, batchMax);
      const isTaken = await deliver(batch).catch(() => false);
      if (!isTaken) onDrop(batch.length);
    } while (waiting.length >= batchMax || (isClosed && waiting.length > 0));
    sending = undefined;
    if (waiting.length > 0) sendLater();
  }

  function sendNow(): Promise<void> {
    sending ??= send();
    return sending;
  }

  function sendLater(): void {
    timer ??= setTimeout(sendNow, delayMs);
    timer.unref();
  }

  return {
    add(span) {
      if (isClosed || waiting.length >= spansMax) return onDrop(1);
      waiting.push(span);
      if (sending) return;
      if (waiting.length >= batchMax) void sendNow();
      else sendLater();
    },
    async close(graceMs) {
      if (isClosed) return;
      isClosed = true;
      clearTimeout(timer);
      if (waiting.length > 0 || sending) {
        const { promise: isOver, resolve } = Promise.withResolvers<void>();
        const grace = setTimeout(resolve, graceMs);
        await Promise.race([sendNow(), isOver]);
        clearTimeout(grace);
      }
      const left = waiting.splice(0).length;
      if (left > 0) onDrop(left);
    },
  };
}
