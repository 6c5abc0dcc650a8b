import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Drill } from "../drill.ts";
import { startProgram } from "./programs.ts";
import type { Service } from "./service.ts";

const COMMAND = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/**
 * Runs `securewave …` on the machine of a service, with its settings, and writes it into the timeline.
 *
 * @throws Error with the command's last words where it fails
 */
export async function securewave(
  drill: Drill,
  on: Pick<Service, "dir" | "env">,
  words: readonly string[],
): Promise<void> {
  const program = startProgram(drill, process.execPath, {
    args: [COMMAND, ...words, "--json"],
    cwd: on.dir,
    env: { ...on.env, XDG_CONFIG_HOME: join(on.dir, "config") },
  });
  await program.exited;
  const said = program.lines.join(" ");
  if (/"error":/.test(said) || program.lines.length === 0)
    throw new Error(`securewave ${words.join(" ")}: ${said.slice(0, 200)}`);
  drill.step(`securewave ${words.join(" ")}`);
}
