import { cp, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CONTROL_PLANE } from "../scripts/program.mjs";
import { buildService, ROOT } from "./control-plane.ts";

const MIGRATIONS = "packages/database/migrations";
const COPIED = [CONTROL_PLANE.entry, "apps/control-plane/package.json", MIGRATIONS];
const LINKED = [
  "node_modules",
  "apps/auditor",
  "apps/console",
  "apps/control-plane/modules",
  "apps/control-plane/node_modules",
  "apps/node-agent",
];

/** A release like this build, with migrations of its own behind those of this build. */
export interface NextRelease {
  readonly dir: string;
  /** The names of its files. */
  readonly expand: string;
  readonly contract: string;
}

/**
 * Lays the next release into a folder: a copy of the program and its migrations, the rest as it is. It adds a column to
 * the table that every log-in reads and writes, and drops it in the next step.
 */
export async function layNextRelease(dir: string): Promise<NextRelease> {
  await buildService();
  for (const path of [...LINKED, ...COPIED]) await mkdir(dirname(join(dir, path)), { recursive: true });
  for (const path of COPIED) await cp(join(ROOT, path), join(dir, path), { recursive: true });
  for (const path of LINKED) await symlink(join(ROOT, path), join(dir, path));
  const last = (await readdir(join(dir, MIGRATIONS))).length;
  const add = async (number: number, phase: string, statement: string) => {
    const name = `${String(number).padStart(4, "0")}_${phase}.sql`;
    await writeFile(join(dir, MIGRATIONS, name), `-- phase: ${phase}\n${statement};\n`);
    return name;
  };
  return {
    dir,
    expand: await add(last + 1, "expand", "alter table sessions add column next_note text"),
    contract: await add(last + 2, "contract", "alter table sessions drop column next_note"),
  };
}
