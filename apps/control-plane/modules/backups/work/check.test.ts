import { backupErrors, sealErrors, targetErrors } from "@securewave/backup";
import { expect, test } from "vitest";
import { attempt } from "./check.ts";

const checkThrows = (error: Error) => attempt("restore", () => Promise.reject(error));

test("what was looked at and is damaged has failed its check", async () => {
  expect(await checkThrows(sealErrors.damaged())).toMatchObject({ name: "restore", outcome: "failed" });
  expect(await checkThrows(new TypeError("a bug"))).toMatchObject({ outcome: "failed" });
});

test.each([
  backupErrors.interrupted(),
  backupErrors.diskFull(),
  targetErrors.unreachable(),
  targetErrors.denied(),
])("$code keeps a verification from being carried out, and says nothing of the backup", async (error) => {
  await expect(checkThrows(error)).rejects.toBe(error);
});
