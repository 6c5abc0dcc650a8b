import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { temporaryDir } from "@securewave/testing";
import { expect, test } from "vitest";
import { formOfFolder } from "./folders.ts";

const SEGMENT = "00000001000000A9000000FF";

test.each([
  ["segments of the write-ahead log", [SEGMENT], "archive"],
  ["compressed ones", [`${SEGMENT}.gz`, `${SEGMENT}.00000028.backup`], "archive"],
  [
    "those of an archiving program",
    [`demo/15-1/00000001000000A9/${SEGMENT}-0f3c.zst`, "demo/info"],
    "archive",
  ],
  ["a standby", ["PG_VERSION", "standby.signal", `pg_wal/${SEGMENT}`], "replica"],
  ["a base backup, whose log is its own", [`monday/PG_VERSION`, `monday/pg_wal/${SEGMENT}`], "files"],
  ["a server that is no standby", ["PG_VERSION", `pg_wal/${SEGMENT}`], "files"],
  ["dumps", ["nightly.dump", "nightly.sql.gz"], "files"],
  ["nothing", [], "files"],
])("a folder with %s is known for what it is", async (_, names, form) => {
  using dir = temporaryDir("folders");
  for (const name of names) {
    await mkdir(dirname(join(dir.path, name)), { recursive: true });
    await writeFile(join(dir.path, name), "");
  }
  expect(await formOfFolder(dir.path)).toBe(form);
});

test("a folder that is not there is left to the search, which says so", async () => {
  expect(await formOfFolder("/nowhere/at/all")).toBe("files");
});
