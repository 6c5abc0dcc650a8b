import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type Checkpoint,
  formatVerifier,
  isConsistent,
  openCheckpoint,
  type Verifier,
} from "@securewave/audit-trail";
import type { AuditEntry } from "@securewave/contracts";
import type { Call, Perform } from "../call.ts";
import { CliError, EXIT } from "../failure.ts";
import { counted, timeText } from "../human.ts";
import { fetchCheckpoint } from "./audit-export.ts";
import { keyPathOf, readKeyFile, readKnown, readVerifier } from "./audit-kept.ts";

export function addCheckpointCommand(audit: CommandUnknownOpts, perform: Perform): void {
  audit
    .command("checkpoint")
    .description("print the newest signed checkpoint, verified, to be kept elsewhere")
    .option(
      "-k, --key <file>",
      "the verifier key that you kept, or a file with it, in place of the service's",
    )
    .option("--since <file>", "an earlier checkpoint, or an export, that this one must be proved to continue")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave audit checkpoint > monday.txt
  $ securewave audit checkpoint --since monday.txt --key kept.vkey --json`,
    )
    .action(({ key, since }) =>
      perform(async (call) => {
        const keptKey = await readKeptKey(key, since);
        const known = since === undefined ? undefined : await readKnown(since);
        // Asked for before, so that the checkpoint covers it if the service still signs.
        const { items } = await (await call.client()).audit.list({ query: { limit: 1 } });
        const {
          note,
          verifier: ownKey,
          proof,
        } = await fetchCheckpoint(call, known === undefined ? undefined : sizeTold(known));
        const verifier = keptKey ?? ownKey;
        const checkpoint = openCheckpoint(note, verifier);
        if (!checkpoint) throw otherKey("The checkpoint is not signed by the key that you kept.");
        const continues =
          known === undefined ? undefined : provedToContinue(known, checkpoint, verifier, proof);
        return tell(call, { note, verifier, checkpoint, continues }, items[0]);
      }),
    );
}

async function readKeptKey(key: string | undefined, since: string | undefined) {
  if (key !== undefined) return readVerifier(key);
  return since === undefined ? undefined : readKeyFile(keyPathOf(since));
}

/** What a checkpoint says before it is known to be signed. */
function sizeTold(note: string): number {
  const size = Number(note.split("\n")[1]);
  return Number.isSafeInteger(size) && size > 0 ? size : 0;
}

/**
 * @returns the size of the checkpoint that was kept
 * @throws CliError `cli.other_key`, `cli.not_continued`
 */
function provedToContinue(
  known: string,
  checkpoint: Checkpoint,
  verifier: Verifier,
  proof: readonly Buffer[] | undefined,
): number {
  const kept = openCheckpoint(known, verifier);
  if (!kept) throw otherKey("The checkpoint that you kept is not signed by this trail's key.");
  if (proof && isConsistent(kept, checkpoint, proof)) return kept.size;
  const [before, after] = [counted(kept.size, "entry"), counted(checkpoint.size, "entry")];
  throw new CliError(
    "cli.not_continued",
    checkpoint.size < kept.size
      ? `The trail ends after ${after}, but there were ${before}: its end was cut off.`
      : `The trail does not continue the checkpoint over ${before} that you kept: something was rewritten.`,
    { next: "Keep both checkpoints: each is signed, and together they prove it." },
  );
}

interface Told {
  readonly note: string;
  readonly verifier: Verifier;
  readonly checkpoint: Checkpoint;
  readonly continues: number | undefined;
}

function tell(
  { out }: Call,
  { note, verifier, checkpoint, continues }: Told,
  newest: AuditEntry | undefined,
) {
  const { size, root } = checkpoint;
  const unsigned = newest === undefined ? 0 : Math.max(0, newest.index + 1 - size);
  const time = unsigned === 0 ? newest?.body?.time : undefined;
  const key = formatVerifier(verifier);
  const value = { size, root: root.toString("base64"), note, verifier_key: key };
  const more = { newest_time: time ?? null, unsigned, continues: continues ?? null };
  out.result({ ...value, ...more }, () => note);
  const until = time === undefined ? "" : `, the newest of ${timeText(time)}`;
  out.note(`Signed over ${counted(size, "entry")}${until}. The signature is good.`);
  if (continues !== undefined) out.note(`It continues the checkpoint over ${counted(continues, "entry")}.`);
  out.note(`Verifier key: ${key}`);
  if (unsigned === 0) return undefined;
  const which = unsigned === 1 ? "The newest entry is" : `The newest ${counted(unsigned, "entry")} are`;
  out.note(`${which} not signed: the service refuses to, since the trail was changed.`);
  out.note("See where: securewave audit export");
  return EXIT.failed;
}

function otherKey(message: string): CliError {
  return new CliError("cli.other_key", message, {
    next: "Either that is the key of another service, or this one's key was exchanged.",
  });
}
