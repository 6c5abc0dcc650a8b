import { once } from "node:events";
import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";

export interface RedisAt {
  readonly host: string;
  readonly port: number;
  /** Whether it is spoken to by TLS; `NODE_EXTRA_CA_CERTS` names authorities of one's own. */
  readonly isSecure?: boolean;
  /** One of its access list; `default` where not given. */
  readonly user?: string;
  readonly password?: string;
}

/** Where a `redis://` or `rediss://` URL leads. */
export function redisAt(url: string): RedisAt {
  const { protocol, hostname, port, username, password } = new URL(url);
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || 6379),
    isSecure: protocol === "rediss:",
    ...(username && { user: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
}

/** A connection to Redis that gives answers as they come, byte for byte. */
export interface RawRedis {
  /**
   * Words are bytes in Latin-1, as `stringsOf` gives them.
   *
   * @throws for an error that Redis answers with
   */
  ask(...words: string[]): Promise<Buffer>;
  close(): void;
}

const TIMEOUT_MS = 20_000;

/** @see https://redis.io/docs/latest/develop/reference/protocol-spec/ */
export async function openRawRedis({ host, port, isSecure, user, password }: RedisAt): Promise<RawRedis> {
  const socket = isSecure
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }) })
    : connect(port, host);
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("Redis does not answer")));
  await once(socket, isSecure ? "secureConnect" : "connect");
  const pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;

  async function ask(...words: string[]): Promise<Buffer> {
    const lines = words.map((word) => `$${word.length}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${lines.join("")}`, "latin1");
    let answer: Buffer = Buffer.alloc(0);
    while (endOfReply(answer, 0) === undefined) {
      const { value, done } = await pieces.next();
      if (done) throw new Error("Redis closed the connection");
      answer = Buffer.concat([answer, value]);
    }
    if (answer[0] === 0x2d) throw new Error(`Redis refuses ${words[0]}`);
    return answer;
  }
  const words = [user, password].filter((word) => word !== undefined);
  if (password !== undefined) await ask("AUTH", ...words.map((word) => Buffer.from(word).toString("latin1")));
  return { ask, close: () => socket.destroy() };
}

/** Where the reply that begins at a place ends; undefined while it is not whole. */
function endOfReply(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const type = String.fromCharCode(bytes[start] ?? 0);
  const count = Number(bytes.toString("latin1", start + 1, lineEnd));
  let end = lineEnd + 2;
  if (type === "$") {
    if (count >= 0) end += count + 2;
    return end <= bytes.length ? end : undefined;
  }
  if (type !== "*") return end;
  for (let left = count; left > 0; left--) {
    const next = endOfReply(bytes, end);
    if (next === undefined) return undefined;
    end = next;
  }
  return end;
}

/** The bulk strings of a flat reply. */
export function stringsOf(reply: Buffer): string[] {
  const strings: string[] = [];
  for (let at = reply.indexOf("$"); at >= 0 && at < reply.length; ) {
    if (reply[at] !== 0x24) {
      at = reply.indexOf("\r\n", at) + 2;
      continue;
    }
    const lineEnd = reply.indexOf("\r\n", at);
    const length = Number(reply.toString("latin1", at + 1, lineEnd));
    strings.push(reply.toString("latin1", lineEnd + 2, lineEnd + 2 + Math.max(0, length)));
    at = lineEnd + 2 + (length < 0 ? 0 : length + 2);
  }
  return strings;
}
