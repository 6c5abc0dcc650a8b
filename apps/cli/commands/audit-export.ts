import { randomBytes } from "node:crypto";
import { open, rename, rm, writeFile } from "node:fs/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatVerifier, openCheckpoint, parseVerifier, type Verifier } from "@securewave/audit-trail";
import { ApiError, createClient } from "@securewave/contracts";
import { dayOf, invariant } from "@securewave/foundation";
import { type Call, given, type Perform } from "../call.ts";
import { CliError, EXIT } from "../failure.ts";
import { nameAnew, refuseExisting, syncFolderOf, unwritable } from "../files.ts";
import { counted, humanBytes } from "../human.ts";
import { integer } from "../options.ts";
import { createProgress } from "../progress.ts";
import { checkTrailFiles, type TrailFileReport } from "./audit-file.ts";
import { keyPathOf, readKeyFile } from "./audit-kept.ts";
import { brokenText, trailJson } from "./audit-verify.ts";

/** What the numbers of entries can be. */
const ENTRY_MAX = 999_999_999_999_999;

export function addExportCommand(audit: CommandUnknownOpts, perform: Perform): void {
  audit
    .command("export")
    .description("write the whole trail into a file, with its key beside it, and verify it")
    .argument("[file]", "a new file (default: securewave-audit-<day>.jsonl)")
    .option(
      "--from <entry>",
      "only from this entry on, such as the first behind the archives",
      integer(0, ENTRY_MAX),
    )
    .addHelpText(
      "after",
      `
The file has its name once it is whole and verified. A trail that turns out to be broken is kept as <file>.broken, and
the exit code is 1. What the service has archived stands in its archive files; the export holds the hashes of that.

Examples:
  $ securewave audit export
  $ securewave audit export rest.jsonl --from 4096
  $ securewave audit export trail.jsonl && securewave audit verify trail.jsonl --since earlier.jsonl`,
    )
    .action((file, { from = 0 }) =>
      perform(async (call) => {
        const path = file ?? `securewave-audit-${dayOf(call.nowMs)}.jsonl`;
        const cancel = new AbortController();
        const onInterrupt = () => cancel.abort();
        process.once("SIGINT", onInterrupt);
        try {
          return await exportTo(call, path, { from, signal: cancel.signal });
        } finally {
          process.off("SIGINT", onInterrupt);
        }
      }),
    );
}

interface Wanted {
  /** Index of the first entry. */
  readonly from: number;
  readonly signal: AbortSignal;
}

async function exportTo(call: Call, path: string, wanted: Wanted) {
  const { signal } = wanted;
  await refuseExisting(path);
  const { note, verifier } = await fetchCheckpoint(call);
  await holdAgainstKeptKey(path, verifier);
  const size = openCheckpoint(note, verifier)?.size ?? 0;
  const draftPath = `${path}.${randomBytes(6).toString("hex")}.part`;
  try {
    const bytes = await download(call, draftPath, size, wanted);
    const progress = createProgress(call, "Verifying");
    const onProgress = (share: number) => {
      if (signal.aborted) throw cancelled();
      progress.show(share);
    };
    const check = { verifier, known: note, onProgress };
    const report = await checkTrailFiles([draftPath], check).catch(asBadAnswer).finally(progress.end);
    const finalPath = report.isWhole ? path : `${path}.broken`;
    await keepKey(finalPath, verifier);
    if (report.isWhole) await nameAnew(draftPath, path);
    else await rename(draftPath, finalPath);
    await syncFolderOf(path);
    return tell(call, finalPath, bytes, report, formatVerifier(verifier));
  } finally {
    await rm(draftPath, { force: true });
  }
}

function tell({ out }: Call, path: string, bytes: number, report: TrailFileReport, key: string) {
  const { isWhole, entries, erased, checkpoints } = report;
  const keyPath = keyPathOf(path);
  out.result({ file: path, key_file: keyPath, bytes, ...trailJson(report), key }, () => {
    if (!isWhole) return `${brokenText(out, report, key)}\n\nIt is kept as ${path}.`;
    const lines = [
      `Wrote ${path}: ${counted(entries, "entry")}, ${counted(checkpoints, "checkpoint")}, ${humanBytes(bytes)}. It is whole.`,
      `Its key is in ${keyPath}: keep a copy of it, and of the file, where nobody of the service can reach them.`,
    ];
    if (erased > 0)
      lines.push(`Of ${counted(erased, "entry")} it holds the hashes only: they are in archives.`);
    return lines.join("\n");
  });
  return isWhole ? undefined : EXIT.failed;
}

/**
 * Gets the newest checkpoint, and sees that it is signed by the key that comes with it.
 *
 * @param since size of one from before, if it is to be proved that this one continues it
 * @returns a proof where one was asked for, and the trail is long enough
 * @throws CliError `cli.bad_answer`
 */
export async function fetchCheckpoint({ client }: Call, since?: number) {
  const { audit } = await client();
  const { note, verifier_key, consistency } = await audit.checkpoint({ query: given({ since }) });
  const verifier = parseVerifier(verifier_key);
  const proof = consistency?.map((hash) => Buffer.from(hash, "base64"));
  if (verifier && openCheckpoint(note, verifier)) return { note, verifier, proof };
  throw new CliError("cli.bad_answer", "The service sent a checkpoint that its own key has not signed.");
}

/** @throws CliError `cli.other_key`, `cli.file_unreadable`, `cli.not_a_key` */
async function holdAgainstKeptKey(path: string, verifier: Verifier): Promise<void> {
  const kept = await readKeyFile(keyPathOf(path));
  if (!kept || formatVerifier(kept) === formatVerifier(verifier)) return;
  throw new CliError(
    "cli.other_key",
    `The service signs with another key than the one in ${keyPathOf(path)}; nothing was written.`,
    { next: "If its key was changed by intent, name another file." },
  );
}

/** @returns how many bytes there are */
async function download(call: Call, path: string, size: number, wanted: Wanted): Promise<number> {
  const { from, signal } = wanted;
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  const progress = createProgress(call, "Exporting");
  let bytes = 0;
  try {
    for await (const chunk of await openExport(call, wanted)) {
      await file.write(chunk).catch((error: unknown) => {
        throw unwritable(path, error);
      });
      bytes += chunk.length;
      if (size > from) progress.show((entriesUpTo(chunk) - from) / (size - from));
    }
    await file.sync();
  } catch (error) {
    if (signal.aborted) throw cancelled();
    if (error instanceof CliError || error instanceof ApiError) throw error;
    throw new CliError("cli.broken_off", "The connection broke off; nothing was written.", {
      next: "Try again. See how the service is: securewave status",
      exitCode: EXIT.unreachable,
    });
  } finally {
    progress.end();
    await file.close();
  }
  return bytes;
}

/**
 * Begins to read the export. It may be more than memory holds, so the client is given an empty answer in place of it,
 * once it has seen that there is one.
 */
async function openExport(call: Call, { from, signal }: Wanted): Promise<AsyncIterable<Uint8Array>> {
  const { url } = await call.connect();
  const token = await tokenOf(call);
  const taken: { body?: AsyncIterable<Uint8Array> | null } = {};
  const client = createClient({
    baseUrl: url,
    token: () => token,
    async fetch(input, init) {
      const response = await fetch(input, init);
      if (!response.ok) return response;
      taken.body = response.body;
      return new Response("", response);
    },
  });
  await client.audit.export({ query: from > 0 ? { from } : {}, signal });
  invariant(taken.body, "an export has a body");
  return taken.body;
}

/** What the client of this call shows itself by; fresh, since it has just been used. */
async function tokenOf({ connect, environment: { env } }: Call): Promise<string | undefined> {
  const { url, loginSource, credentials } = await connect();
  if (loginSource === "api_key") return env.SECUREWAVE_API_KEY;
  if (loginSource === "environment") return env.SECUREWAVE_TOKEN;
  return (await credentials.read()).logins[url]?.accessToken;
}

/** How far the last entry that begins in a chunk is; 0 where none does. */
function entriesUpTo(chunk: Uint8Array): number {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const start = bytes.lastIndexOf('{"entry":{"index":');
  if (start === -1) return 0;
  const [, index] = /(\d+),/.exec(bytes.toString("latin1", start, start + 40)) ?? [];
  return index === undefined ? 0 : Number(index) + 1;
}

function asBadAnswer(error: unknown): never {
  if (error instanceof CliError && error.code === "cli.not_a_trail")
    throw new CliError("cli.bad_answer", "What the service sent is no audit trail; nothing was written.");
  throw error;
}

/** A key that is there already has been seen to be the same; that of a broken trail is written again. */
async function keepKey(path: string, verifier: Verifier): Promise<void> {
  await writeFile(keyPathOf(path), `${formatVerifier(verifier)}\n`, { mode: 0o600 }).catch(
    (error: unknown) => {
      throw unwritable(keyPathOf(path), error);
    },
  );
}

function cancelled(): CliError {
  return new CliError("cli.cancelled", "Cancelled; nothing was written.");
}
