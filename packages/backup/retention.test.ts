import { createManualClock, DAY_MS } from "@securewave/foundation";
import { temporaryDir } from "@securewave/testing/temporary";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Archive, ArchivePiece } from "./archiving/pieces.ts";
import { storeBackup } from "./contents.ts";
import { lsnText } from "./database/lsn.ts";
import { listBackups, type Manifest, secondOf } from "./manifest.ts";
import { planRestore } from "./restoring/plan.ts";
import { cleanUp, expiredBackups, expiredPieces } from "./retention.ts";
import { createIdentity } from "./sealing/keys.ts";
import { openTarget } from "./targets/open.ts";

const START = Date.UTC(2026, 0, 1);
const HOUR_MS = DAY_MS / 24;

/** A base each so many hours, and a piece of the archive each hour, of 100 bytes. */
function history(hours: number, everyHours: number): { bases: Manifest[]; archive: Archive } {
  const bases: Manifest[] = [];
  const pieces: ArchivePiece[] = [];
  for (let hour = 0; hour < hours; hour++) {
    const [from, to, at] = [BigInt(hour) * 100n, BigInt(hour + 1) * 100n, START + (hour + 1) * HOUR_MS];
    pieces.push({ name: `piece ${hour}`, bytes: 10, systemId: "7", timeline: 1, from, to, at, hash: "" });
    if (hour % everyHours === 0) bases.unshift(baseAt(hour));
  }
  const end = BigInt(hours) * 100n;
  const head = { timeline: 1, lsn: end, at: START + hours * HOUR_MS };
  return { bases, archive: { systemId: "7", pieces, timelines: new Map(), head } };
}

function baseAt(hour: number): Manifest {
  const [startLsn, stopLsn] = [BigInt(hour) * 100n + 10n, BigInt(hour) * 100n + 20n].map(lsnText) as [
    string,
    string,
  ];
  const takenAt = secondOf(START + hour * HOUR_MS + 1000);
  const base = { systemId: "7", timeline: 1, startLsn, stopLsn, segmentBytes: 1 << 24, postgresMajor: "18" };
  return {
    format: 1,
    id: `id ${hour}`,
    kind: "database",
    takenAt,
    version: "0",
    counts: {},
    objects: [],
    base,
  };
}

test("each second of the kept days stays restorable, and what is older than they need goes", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 30, max: 300 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (hours, everyHours, keepDays, share) => {
        const { bases, archive } = history(hours, everyHours);
        const nowMs = START + hours * HOUR_MS;
        const expired = expiredBackups(bases, keepDays, nowMs);
        const kept = bases.filter((base) => !expired.includes(base));
        const gone = new Set(expiredPieces(archive, kept, keepDays, nowMs));
        const left = { ...archive, pieces: archive.pieces.filter((piece) => !gone.has(piece)) };
        const earliest = Math.max(Date.parse(bases.at(-1)?.takenAt ?? ""), nowMs - keepDays * DAY_MS);
        const to = new Date(earliest + share * (nowMs - earliest));
        expect(planRestore({ bases: kept, archives: [left], to }).pieces).toEqual(
          planRestore({ bases, archives: [archive], to }).pieces,
        );
        const newest = Date.parse(bases[0]?.takenAt ?? "");
        const old = kept.filter(({ takenAt }) => Date.parse(takenAt) <= newest - keepDays * DAY_MS);
        expect(old.length).toBeLessThanOrEqual(1);
      },
    ),
  );
});

test("a clock that is far ahead deletes nothing, and the newest of each kind stays", () => {
  const { bases, archive } = history(48, 24);
  expect(expiredBackups(bases, 35, START + 10_000 * DAY_MS)).toEqual([]);
  expect(expiredPieces(archive, [], 35, START + 10_000 * DAY_MS)).toEqual([]);
  const configs = bases.map(({ base: _, ...rest }) => ({ ...rest, kind: "config" as const }));
  expect(expiredBackups(configs, 0, START + 10_000 * DAY_MS)).toEqual(configs.slice(1));
});

test("what has a manifest that cannot be read goes with the days, and not before", async () => {
  using dir = temporaryDir("retention");
  const target = await openTarget({ url: dir.path });
  const recipients = [createIdentity().recipient];
  const clock = createManualClock(START);
  const store = () =>
    storeBackup({ target, recipients, kind: "vpn", version: "0", contents: [], counts: {}, clock });
  const ids = async () => (await listBackups(target, "vpn")).damaged;
  const { id } = await store();
  await target.put(`backups/vpn/${id}/manifest.json`, [Buffer.from("{")]);
  const keepDays = { database: 35, config: 30, vpn: 90 };
  for (const [days, left] of [
    [0, [id]],
    [89, [id]],
    [91, []],
  ] as const) {
    clock.advanceSeconds((START + days * DAY_MS - clock.now()) / 1000);
    await store();
    await cleanUp({ target, keepDays, clock });
    expect(await ids()).toEqual(left);
  }
});

test("a piece that is missing anywhere before the instant is told, with the last instant before it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 38 }), (missing) => {
      const { bases, archive } = history(40, 100);
      const pieces = archive.pieces.filter((_, at) => at !== missing);
      const plan = (to: Date | "latest") => planRestore({ bases, archives: [{ ...archive, pieces }], to });
      expect(() => plan("latest")).toThrow(expect.objectContaining({ code: "backup.archive_gap" }));
      expect(() => plan(new Date(START + 40 * HOUR_MS))).toThrow(
        expect.objectContaining({ code: "backup.archive_gap" }),
      );
      const before = new Date(Date.parse(bases[0]?.takenAt ?? ""));
      expect(plan(before).base.id).toBe("id 0");
    }),
  );
});
