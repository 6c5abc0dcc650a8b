import { mkdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Perform } from "../call.ts";
import { CliError } from "../failure.ts";
import { isErrno, writePrivateFile } from "../files.ts";

/** On the machine of the service: the key is in no answer of the API. */
export function addDataKeyCommands(keys: CommandUnknownOpts, perform: Perform): void {
  const dataKey = keys.command("data-key").description("the key file of what belongs to accounts");
  dataKey
    .command("copy")
    .description("copy the data key to another disk of this machine, where no backup reads it")
    .argument("<target>", "the copy")
    .option("--file <path>", "the key file (default: DATA_KEY_FILE, or that of DATA_DIR)")
    .addHelpText(
      "after",
      `
Without the data key nothing that belongs to an account can be read: keep a copy on another disk. Name it in
DATA_KEY_COPIES as well: copies named there are written anew when an account is erased; others go on opening its data.

Examples:
  $ securewave keys data-key copy /mnt/second-disk/data.key`,
    )
    .action((target, { file }) =>
      perform(async ({ environment: { env }, out }) => {
        const path =
          file ?? env.DATA_KEY_FILE ?? join(env.DATA_DIR ?? "data", "never-in-backups", "data.key");
        const copy = resolve(target);
        await copyDurably(resolve(path), copy);
        out.result({ file: copy }, () => `Copied. Add to the service's settings: DATA_KEY_COPIES=${copy}`);
      }),
    );
}

async function copyDurably(path: string, target: string): Promise<void> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (!isErrno(error, "ENOENT")) throw error;
    throw new CliError("cli.no_key_file", `There is no key file ${path}.`, {
      next: "Name it with --file, on the machine of the service.",
    });
  });
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  try {
    await writePrivateFile(target, bytes);
  } finally {
    bytes.fill(0);
  }
}
