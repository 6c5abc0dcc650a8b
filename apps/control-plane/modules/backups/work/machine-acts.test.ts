import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createIdentity, openTarget, storeBackup } from "@securewave/backup";
import { systemClock } from "@securewave/foundation";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, expect, test } from "vitest";
import { type Config, loadConfig } from "../../../config.ts";
import { exportTo } from "./export.ts";
import { identitiesFor } from "./identities.ts";
import { rotateKeys, showKeys } from "./key-acts.ts";

const folder = temporaryDir("machine-acts");
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);

async function configOf(env: Readonly<Record<string, string>>): Promise<Config> {
  const { config, mistakes } = await loadConfig(env);
  expect(mistakes).toEqual([]);
  return config;
}

const told = (stopping = new AbortController()) => ({
  progress: async () => {},
  signal: stopping.signal,
  clock: systemClock,
});

test("where no service ever ran no key is shown or made: it would open nothing", async () => {
  const config = await configOf({ DATA_DIR: at("nobody") });
  await expect(showKeys({ act: "keys" }, config)).rejects.toMatchObject({ code: "backup_keys.none" });
  await expect(rotateKeys({ act: "rotate" }, config)).rejects.toMatchObject({ code: "backup_keys.none" });
  expect(existsSync(at("nobody"))).toBe(false);
});

test("a file of keys that cannot be read is named", async () => {
  const wanted = identitiesFor(await configOf({ DATA_DIR: at("nobody") }), at("no-such.key"));
  await expect(wanted).rejects.toMatchObject({
    code: "backup_identities.unreadable",
    message: expect.stringContaining("no-such.key"),
  });
});

test("an export is whole, or leaves nothing", async () => {
  const { identity, recipient } = createIdentity();
  const config = await configOf({ DATA_DIR: at("data"), BACKUP_TARGET: at("target"), BACKUP_KEY: identity });
  const { id } = await storeBackup({
    target: await openTarget({ url: at("target") }),
    recipients: [recipient],
    kind: "vpn",
    version: "0.1.0",
    contents: ["one.conf", "two.conf"].map((name) => ({ name, open: () => [Buffer.from(name)] })),
    counts: {},
    clock: systemClock,
  });
  const order = (name: string, isOpened: boolean) =>
    ({ act: "export", backupId: id, toDir: at(name), isOpened }) as const;
  const opened = await exportTo(order("opened", true), config, told());
  expect(opened).toMatchObject({ files: ["one.conf", "two.conf"] });
  expect(readdirSync(at("opened")).sort()).toEqual(["one.conf", "two.conf"]);

  const stopping = new AbortController();
  const progress = async () => stopping.abort();
  const broken = exportTo(order("broken", false), config, { ...told(stopping), progress });
  await expect(broken).rejects.toMatchObject({ code: "backup.interrupted" });
  expect(readdirSync(at("broken"))).toEqual([]);

  await writeFile(at("a file"), "");
  await expect(exportTo(order("a file/below", true), config, told())).rejects.toMatchObject({
    code: expect.stringMatching(/^backup_target\./),
  });
  await expect(exportTo(order("opened", true), config, told())).rejects.toMatchObject({
    code: "backup_export.folder_in_use",
  });
});
