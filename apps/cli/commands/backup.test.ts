import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const fake = () => service.api().state.backups;

test("the status shows what there is, and what the operator should do about it", async () => {
  const ran = await service.run("backup status");
  expect(ran.code).toBe(1); // the backups lie on the store's own disk
  expect(ran.stdout).toMatch(/^database +10 h ago, 48 MB, kept for 35 days$/m);
  expect(ran.stdout).toMatch(/^Archive +follows every write, 8 s behind$/m);
  expect(ran.stdout).toMatch(/^Restorable +from 2026-11-18 02:13:00 to 2026-11-20 11:59:52 UTC$/m);
  expect(ran.stdout).toContain("✓ row counts: 38 tables have exactly their 412 rows.");
  expect(ran.stdout).toContain("set BACKUP_TARGET");
  expect((await service.run("backup status --json")).json()).toMatchObject({ is_on: true, target: "folder" });
});

test("backups are listed, the newest first, also of one kind", async () => {
  const { stdout } = await service.run("backup list");
  const [titles, first] = stdout.split("\n");
  expect(titles).toMatch(/^ID +KIND +TAKEN +SIZE +VERIFIED$/);
  expect(first).toMatch(/^20261120T021300Z-abcdefgh +database +10 h ago +48 MB +never$/);
  const ofOneKind = (await service.run("backup list --kind vpn --json")).json();
  expect(ofOneKind).toMatchObject({ items: [{ kind: "vpn" }, { kind: "vpn" }, { kind: "vpn" }] });
});

test("one backup is shown with what is in it", async () => {
  const { stdout } = await service.run("backup show 20261119T021300Z-abcdefgh");
  expect(stdout).toMatch(/^Rows +accounts 7, devices 12$/m);
  expect(stdout).toContain("✓ objects:");
  const unknown = await service.run("backup show 20260101T000000Z-abcdefgh");
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("backups.not_found")]);
  expect(unknown.stderr).toContain("securewave backup list");
});

test("a run waits for its end, and fails with what to do where a backup failed", async () => {
  const made = await service.run("backup run");
  expect([made.code, made.stdout]).toEqual([0, "3 backups made, 0 failed.\n"]);
  fake().nextProblem = "The backup target is full. Make room.";
  const failed = await service.run("backup run --kind config");
  expect([failed.code, failed.stdout]).toEqual([1, expect.stringContaining("The backup target is full.")]);
  const { stdout } = await service.run("backup status");
  expect(stdout).toContain("The backup failed: The backup target is full.");
});

test("a verification shows each check; damage makes it fail", async () => {
  const good = await service.run("backup verify");
  expect([good.code, good.stdout]).toEqual([0, expect.stringContaining("✓ row counts")]);
  fake().nextProblem = "base.tar.zst.age was changed.";
  const bad = await service.run("backup verify 20261118T021300Z-abcdefgh");
  expect([bad.code, bad.stdout]).toEqual([
    1,
    expect.stringContaining("✗ objects: base.tar.zst.age was changed."),
  ]);
});

test("old backups are removed after a question", async () => {
  expect((await service.run("backup cleanup")).code).toBe(2);
  expect((await service.run("backup cleanup --yes")).stdout).toBe("3 backups removed.\n");
});

test("where backups are off, that is what the commands say", async () => {
  fake().isOn = false;
  const ran = await service.run("backup run");
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("BACKUPS says so")]);
});
