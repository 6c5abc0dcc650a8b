import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { eventually } from "./eventually.ts";
import { parseMail, type ReceivedMail } from "./mail-text.ts";

export type { ReceivedMail } from "./mail-text.ts";

export interface MailServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** All messages received, oldest first. */
  messages(): ReceivedMail[];
  /** The newest message for an address, once there is one; fails when the time is over. */
  latestFor(address: string, options?: { timeoutMs?: number }): Promise<ReceivedMail>;
  /** From now on answers every message with this SMTP code, e.g. 451; undefined accepts again. */
  refuseWith(code: number | undefined): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Receives mail over real SMTP on a free port of 127.0.0.1, without TLS; any user name and password is let in. */
export async function openMailServer(): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  let refusal: number | undefined;
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    logger: false,
    onAuth: (auth, _session, callback) => callback(null, { user: auth.username ?? "" }),
    onData: (stream, session, callback) => {
      void text(stream).then((raw) => {
        if (refusal !== undefined) {
          return callback(Object.assign(new Error("refused by the test"), { responseCode: refusal }));
        }
        received.push(
          parseMail(
            raw,
            session.envelope.rcptTo.map((recipient) => recipient.address),
          ),
        );
        callback();
      }, callback);
    },
  });
  smtp.listen(0, "127.0.0.1");
  await once(smtp.server, "listening");
  const address = smtp.server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no TCP port");
  const close = () => new Promise<void>((resolve) => smtp.close(() => resolve()));
  return {
    host: "127.0.0.1",
    port: address.port,
    messages: () => [...received],
    latestFor: (to, { timeoutMs = 5000 } = {}) => eventually(() => newestFor(received, to), { timeoutMs }),
    refuseWith: (code) => {
      refusal = code;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Reads the `.eml` files of an outbox folder, oldest first by time of change, then by name. */
export async function readOutbox(dir: string): Promise<ReceivedMail[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith(".eml"));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(dir, name);
      return { name, at: (await stat(path)).mtimeMs, raw: await readFile(path, "utf8") };
    }),
  );
  files.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
  return files.map(({ raw }) => parseMail(raw));
}

/** The newest message for an address in an outbox folder, once there is one; fails when the time is over. */
export function latestMail(
  dir: string,
  to: string,
  { timeoutMs = 5000 }: { timeoutMs?: number } = {},
): Promise<ReceivedMail> {
  return eventually(async () => newestFor(await readOutbox(dir), to), { timeoutMs });
}

function newestFor(messages: readonly ReceivedMail[], address: string): ReceivedMail {
  const found = messages.findLast(({ to }) => to.includes(address.toLowerCase()));
  if (found === undefined) throw new Error(`no message for this address among ${messages.length}`);
  return found;
}
