import { connect, type Socket } from "node:net";
import { renderUapiSet, type UapiChange } from "./uapi-change.ts";
import { parseUapiState, type UapiState } from "./uapi-state.ts";

export type UapiOptions = {
  /** How long an answer may take. */
  readonly timeoutMs?: number;
};

export type UapiClient = {
  /** Reads the interface's settings and peers. */
  get(): Promise<UapiState>;
  /** Applies a change and gives the errno of the answer, 0 for done. A failed change may be applied in part. */
  set(change: UapiChange): Promise<number>;
  close(): void;
};

const UAPI_GET = "get=1\n\n";
const READ_BYTES = 65536;
const NEWLINE = 0x0a;

/**
 * Opens the control socket of a userspace WireGuard interface, `/var/run/wireguard/<name>.sock`. It connects with the
 * first request, answers requests one after the other over one connection, and opens another after a failure.
 *
 * Answers hold endpoints: they are received into memory of the client's own, which is overwritten once they are read.
 */
export function connectUapi(socketPath: string, { timeoutMs = 10_000 }: UapiOptions = {}): UapiClient {
  let connection: Connection | undefined;
  let tail: Promise<unknown> = Promise.resolve();

  async function request(text: string): Promise<UapiState> {
    connection ??= openConnection(socketPath);
    const open = connection;
    try {
      const state = await open.ask(text, timeoutMs);
      // After an error the rest of the request would be read as the next one.
      if (state.errno !== 0) drop(open);
      return state;
    } catch (error) {
      drop(open);
      throw error;
    }
  }

  function drop(open: Connection): void {
    open.close();
    if (connection === open) connection = undefined;
  }

  function inTurn(text: string): Promise<UapiState> {
    const answer = tail.then(() => request(text));
    tail = answer.catch(() => undefined);
    return answer;
  }

  return {
    get: () => inTurn(UAPI_GET),
    set: async (change) => (await inTurn(renderUapiSet(change))).errno,
    close: () => connection && drop(connection),
  };
}

type Connection = {
  ask(request: string, timeoutMs: number): Promise<UapiState>;
  close(): void;
};

function openConnection(socketPath: string): Connection {
  let answer = Buffer.alloc(0);
  let length = 0;
  let waiting: { resolve(state: UapiState): void; reject(error: Error): void } | undefined;
  const received = Buffer.allocUnsafeSlow(READ_BYTES);
  const socket: Socket = connect({
    path: socketPath,
    onread: {
      buffer: received,
      callback(count) {
        collect(received.subarray(0, count));
        received.fill(0, 0, count);
        return true;
      },
    },
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the WireGuard control socket was closed")));

  function collect(bytes: Buffer): void {
    if (waiting === undefined) return;
    if (length + bytes.length > answer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(READ_BYTES, answer.length * 2));
      answer.copy(larger, 0, 0, length);
      wipe();
      answer = larger;
    }
    bytes.copy(answer, length);
    length += bytes.length;
    // An empty line ends an answer, and none stands within one.
    if (length < 2 || answer[length - 1] !== NEWLINE || answer[length - 2] !== NEWLINE) return;
    const state = parseUapiState(answer.subarray(0, length));
    wipe();
    length = 0;
    const { resolve, reject } = waiting;
    waiting = undefined;
    if (state === undefined) reject(new Error("the WireGuard control socket gave a malformed answer"));
    else resolve(state);
  }

  function wipe(): void {
    answer.fill(0, 0, length);
  }

  function fail(error: Error): void {
    wipe();
    length = 0;
    waiting?.reject(error);
    waiting = undefined;
  }

  return {
    ask(request, timeoutMs) {
      return new Promise<UapiState>((resolve, reject) => {
        const timer = setTimeout(
          () => fail(new Error(`the WireGuard control socket gave no answer in ${timeoutMs} ms`)),
          timeoutMs,
        );
        waiting = {
          resolve: (state) => {
            clearTimeout(timer);
            resolve(state);
          },
          reject: (error) => {
            clearTimeout(timer);
            reject(error);
          },
        };
        if (socket.destroyed) fail(new Error("the WireGuard control socket was closed"));
        else socket.write(request);
      });
    },
    close: () => socket.destroy(),
  };
}
