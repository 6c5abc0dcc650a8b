import type { Socket } from "node:net";
import { invariant, RefusalError } from "@securewave/foundation";
import pg from "pg";
import { backupErrors } from "../errors.ts";

/** PostgreSQL's SQLSTATEs. */
const INSUFFICIENT_PRIVILEGE = "42501";
const OBJECT_IN_USE = "55006";
const INVALID_AUTHORIZATION = "28000";

/** A message of PostgreSQL's protocol, by its letter. */
export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

/** A failure that PostgreSQL reports. Its text names settings and files, no values of rows. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A connection for replication, of which we read the bytes ourselves: bases are larger than what `pg` is for. */
export interface ReplicationConnection {
  /** Runs one command. @returns its last rows, as text */
  query(text: string): Promise<(string | null)[][]>;
  /** Starts a command whose answer is read by `read`. */
  start(command: string): void;
  /** The messages as they come, some at a time; errors are thrown. */
  read(): AsyncGenerator<Message[]>;
  /** Sends CopyData. */
  send(data: Buffer): void;
  close(): void;
}

/** @throws backup.not_permitted */
export async function openReplication(
  connection: pg.ClientConfig,
  name: string,
): Promise<ReplicationConnection> {
  // `replication` is not in the types of `pg`, which passes it on.
  const config = { ...connection, replication: "database", application_name: name, statement_timeout: 0 };
  const client = new pg.Client(config);
  client.on("error", () => {}); // the socket's end says it
  try {
    await client.connect();
  } catch (error) {
    throw asRefusal(error);
  }
  const socket = takeSocket(client);
  const chunks: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]();
  const frames = framesOf(chunks);

  const connected: ReplicationConnection = {
    async query(text) {
      connected.start(text);
      let rows: (string | null)[][] = [];
      for await (const messages of connected.read()) {
        for (const { type, body } of messages) {
          if (type === "T") rows = [];
          if (type === "D") rows.push(readRow(body));
          if (type === "Z") return rows;
        }
      }
      throw new ServerError("08006", "The connection ended.");
    },
    start(command) {
      const text = Buffer.from(`${command}\0`);
      socket.write(Buffer.concat([head("Q", text.length), text]));
    },
    async *read() {
      for (;;) {
        const { value, done } = await frames.next();
        if (done) throw new ServerError("08006", "The connection ended.");
        const failed = value.find(({ type }) => type === "E");
        if (failed) {
          if (!value.some(isReady)) await becomesReady(frames).catch(() => {}); // the error says more
          throw readError(failed.body);
        }
        yield value;
      }
    },
    send(data) {
      if (!socket.destroyed) socket.write(Buffer.concat([head("d", data.length), data]));
    },
    close() {
      socket.destroy();
    },
  };
  return connected;
}

/** Whatever PostgreSQL or the network said, as what an operator can do about it. */
export function asRefusal(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (error instanceof RefusalError) return error;
  if (code === INSUFFICIENT_PRIVILEGE || code === INVALID_AUTHORIZATION) return backupErrors.notPermitted();
  if (code === OBJECT_IN_USE) return backupErrors.archiveInUse();
  return error;
}

/** @returns the socket of a client that is connected, with nobody else reading it */
function takeSocket(client: pg.Client): Socket {
  const { connection } = client as unknown as { connection?: { stream?: Socket } };
  const socket = connection?.stream;
  invariant(socket, "pg has a connection with a stream");
  socket.pause();
  socket.removeAllListeners("data");
  return socket;
}

const isReady = ({ type }: Message) => type === "Z";

/** Reads on until the server takes another command, or has ended the connection. */
async function becomesReady(frames: AsyncIterator<Message[]>): Promise<void> {
  for (;;) {
    const { value, done } = await frames.next();
    if (done || value.some(isReady)) return;
  }
}

async function* framesOf(chunks: AsyncIterator<Buffer>): AsyncGenerator<Message[]> {
  let held: Buffer[] = [];
  let bytes = 0;
  let wanted = 5;
  for (;;) {
    const { value, done } = await chunks.next();
    if (done) return;
    held.push(value);
    bytes += value.length;
    if (bytes < wanted) continue;
    const buffer = held.length === 1 ? value : Buffer.concat(held, bytes);
    const messages: Message[] = [];
    let at = 0;
    wanted = 5;
    while (buffer.length - at >= 5) {
      const end = at + 1 + buffer.readInt32BE(at + 1);
      if (end > buffer.length) {
        wanted = end - at;
        break;
      }
      messages.push({ type: String.fromCharCode(buffer[at] ?? 0), body: buffer.subarray(at + 5, end) });
      at = end;
    }
    held = at === buffer.length ? [] : [buffer.subarray(at)];
    bytes = buffer.length - at;
    if (messages.length > 0) yield messages;
  }
}

function head(type: string, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write(type, 0, "latin1");
  bytes.writeInt32BE(bodyBytes + 4, 1);
  return bytes;
}

export function readRow(body: Buffer): (string | null)[] {
  let at = 2;
  return Array.from({ length: body.readInt16BE(0) }, () => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    return body.toString("utf8", at - length, at);
  });
}

function readError(body: Buffer): unknown {
  const fields = new Map(
    body
      .toString("utf8")
      .split("\0")
      .map((field) => [field[0], field.slice(1)]),
  );
  return asRefusal(new ServerError(fields.get("C") ?? "XX000", fields.get("M") ?? "an error without a text"));
}
