import { readFile } from "node:fs/promises";
import { parseTrailLine, parseVerifier, type Verifier } from "@securewave/audit-trail";
import { CliError, EXIT } from "../failure.ts";
import { isErrno } from "../files.ts";
import { LINE_CHARACTERS_MAX, openLines, unreadable } from "./audit-lines.ts";

/** Where the key of an export is kept. */
export const keyPathOf = (path: string) => `${path}.vkey`;

/**
 * Reads a verifier key.
 *
 * @param given the text of a key, or a file that holds one
 * @throws CliError `cli.file_unreadable`, `cli.not_a_key`
 */
export async function readVerifier(given: string): Promise<Verifier> {
  const inText = parseVerifier(given);
  if (inText) return inText;
  const verifier = await readKeyFile(given);
  if (verifier) return verifier;
  throw unreadable(given);
}

/**
 * Reads the key that is kept beside one of some files.
 *
 * @throws CliError `cli.key_missing`, `cli.file_unreadable`, `cli.not_a_key`
 */
export async function readVerifierBeside(paths: readonly string[]): Promise<Verifier> {
  for (const path of paths) {
    const verifier = await readKeyFile(keyPathOf(path));
    if (verifier) return verifier;
  }
  const looked = paths.map(keyPathOf).join(", ");
  throw new CliError("cli.key_missing", `There is no key to verify with: no ${looked}.`, {
    next: "Give the one that you kept: --key <file>. A key that comes with the trail proves nothing of itself.",
    exitCode: EXIT.usage,
  });
}

/**
 * @returns undefined when there is no such file
 * @throws CliError `cli.file_unreadable`, `cli.not_a_key`
 */
export async function readKeyFile(keyPath: string): Promise<Verifier | undefined> {
  const text = await readText(keyPath);
  const verifier = text === undefined ? undefined : parseVerifier(text);
  if (text === undefined || verifier) return verifier;
  throw new CliError("cli.not_a_key", `${keyPath} holds no verifier key.`, {
    next: "Such a key is one line, name+id+key: securewave audit checkpoint shows it.",
    exitCode: EXIT.usage,
  });
}

/**
 * Finds the checkpoint in what was kept: a checkpoint as it was printed, as text or JSON, or an earlier export, whose
 * last one counts.
 *
 * @throws CliError `cli.file_unreadable`, `cli.not_a_checkpoint`
 */
export async function readKnown(path: string): Promise<string> {
  const source = await openLines(path);
  let note: string | undefined;
  let text = "";
  try {
    for await (const line of source.lines) {
      note = noteIn(line) ?? note;
      if (text.length <= LINE_CHARACTERS_MAX) text += `${line}\n`;
    }
  } finally {
    await source.close();
  }
  note ??= noteInJson(text);
  if (note !== undefined) return note;
  text = `${text.trimEnd()}\n`;
  if (/^\S+\n\d+\n\S+\n(?:[^\n]+\n)*\n— /.test(text)) return text;
  throw new CliError("cli.not_a_checkpoint", `${path} holds no checkpoint.`, {
    next: "Give an earlier export, or what `securewave audit checkpoint` wrote.",
    exitCode: EXIT.usage,
  });
}

function noteIn(text: string): string | undefined {
  const line = text.startsWith('{"checkpoint":') ? parseTrailLine(text) : undefined;
  return line && "checkpoint" in line ? line.checkpoint : undefined;
}

function noteInJson(text: string): string | undefined {
  try {
    const { note } = JSON.parse(text);
    return typeof note === "string" ? note : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when there is no such file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw unreadable(path);
  }
}
