import { appendFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type Source, type Surface, textSource } from "../surface.ts";
import { filesBelow } from "./files.ts";

export interface TextsOptions extends Pick<Surface, "id" | "title" | "rows" | "permits"> {
  /** Fetches all that there is: the answer of the metrics' port, the spans that a collector got, mails, jobs. */
  read(): Promise<readonly { readonly name: string; readonly content: string | Buffer }[]>;
  /** Writes a text to where it is read from. Without it the control proves only that what is read is searched. */
  write?(text: string): Promise<void>;
}

/** Something that is asked for. */
export function textsSurface({ read, write, ...surface }: TextsOptions): Surface {
  let control: string | undefined;
  return {
    ...surface,
    async plant({ ipv4 }) {
      if (write === undefined) control = ipv4;
      else await write(`ghost control ${ipv4}`);
      return [{ kind: "ipv4", encoding: "text" }];
    },
    async *collect() {
      for (const { name, content } of await read()) yield* bothForms(name, Buffer.from(content));
      if (control !== undefined) yield textSource("control", control);
    },
  };
}

/** As it is, and with lines joined that mail programs broke: base64 (RFC 2045 §6.8) and quoted-printable (§6.7). */
function* bothForms(name: string, content: Buffer): Generator<Source> {
  yield textSource(name, content);
  const text = content.toString("latin1");
  const joined = text.replace(/([A-Za-z0-9+/]{60,76})\r?\n(?=[A-Za-z0-9+/])/g, "$1").replace(/=\r?\n/g, "");
  const plain = joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (plain !== text) yield textSource(`${name}, lines joined`, Buffer.from(plain, "latin1"));
}

export interface LogOptions extends Pick<Surface, "id" | "title" | "rows" | "permits"> {
  readonly path: string;
}

/** A log file, with those that were rotated: they begin with its name. */
export function logSurface({ path, ...surface }: LogOptions): Surface {
  return {
    ...surface,
    async plant({ ipv4 }) {
      await appendFile(path, `{"event":"ghost control ${ipv4}"}\n`);
      return [{ kind: "ipv4", encoding: "text" }];
    },
    async *collect(collecting) {
      for await (const source of filesBelow(dirname(path), collecting)) {
        if (source.name.startsWith(basename(path))) yield source;
      }
    },
  };
}
