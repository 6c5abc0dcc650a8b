import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "@securewave/foundation";
import {
  complaintsOf,
  type Report,
  renderPage,
  runGhosts,
  signReport,
  verifyReport,
} from "@securewave/ghosts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  isZeroLogPossible,
  openZeroLogScene,
  type ZeroLogScene,
  zeroLogRequirements,
} from "./zero-log-scene.ts";
import { ghostSteps } from "./zero-log-steps.ts";

const ORIGIN = "vpn.example.org/zero-log";

describe.skipIf(!isZeroLogPossible)(
  zeroLogRequirements.title("service and node keep nothing of who uses them"),
  () => {
    let scene: ZeroLogScene;
    let report: Report;

    beforeAll(async () => {
      scene = await openZeroLogScene();
    });
    afterAll(() => scene?.close());

    test("customers who connect, load and leave are in nothing that is written, on any machine", async () => {
      report = await runGhosts({
        seed: randomBytes(32),
        clock: systemClock,
        software: { name: "SecureWave", version: "0.1.0" },
        surfaces: scene.surfaces,
        steps: ghostSteps(scene),
        ...(process.env.E2E_REPORT_DIR && {
          onProgress: (text: string) => void process.stderr.write(`${new Date().toISOString()} ${text}\n`),
        }),
      });
      if (process.env.E2E_REPORT_DIR) {
        await writeFile(join(process.env.E2E_REPORT_DIR, "report.html"), renderPage(report));
      }
      expect(complaintsOf(report)).toEqual([]);
      expect(report.outcome).toBe("clean");
    }, 240_000);

    test("in every surface its control was found, so that a trace would have been", () => {
      expect(report.surfaces.length).toBeGreaterThanOrEqual(20);
      for (const { id, sources, bytes, controls } of report.surfaces) {
        expect(sources, id).toBeGreaterThan(0);
        expect(bytes, id).toBeGreaterThan(0);
        expect(controls.length, id).toBeGreaterThan(0);
      }
    });

    test("the report is signed, is verified without asking anybody, and its page needs no script", () => {
      const { privateKey, publicKey } = generateKeyPairSync("ed25519");
      const verifier = {
        name: ORIGIN,
        publicKey: Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url"),
      };
      const note = signReport(report, ORIGIN, privateKey);
      expect(verifyReport(note, verifier)).toEqual({ report, isConsistent: true });
      expect(verifyReport(note.replace('"hitsCount": 0', '"hitsCount": 1'), verifier)).toBeUndefined();
      const page = renderPage(report);
      expect(page).toContain("No trace was found");
      expect(page).not.toContain("<script");
    });
  },
);
