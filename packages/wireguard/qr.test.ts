import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inflateSync } from "node:zlib";
import decodeQR from "qr/decode.js";
import { expect, test } from "vitest";
import { renderConfig } from "./config.ts";
import { generatePresharedKey } from "./keys.ts";
import { generateKeyPair } from "./native-keys.ts";
import { QR_BORDER_MODULES, QR_BOX_PIXELS, QR_TEXT_BYTES_MAX, qrMatrix, qrSvg, qrSvgDataUrl } from "./qr.ts";
import { qrPng, qrPngDataUrl } from "./qr-png.ts";
import { hasProgram } from "./testing-interface.ts";

function randomConfig(): string {
  return renderConfig({
    privateKey: generateKeyPair().privateKey,
    addresses: ["10.8.12.77/32", "fd00:8::c4d/128"],
    dns: ["10.8.0.1"],
    mtu: 1420,
    peer: {
      publicKey: generateKeyPair().publicKey,
      presharedKey: generatePresharedKey(),
      allowedIps: ["0.0.0.0/0", "::/0"],
      endpoint: { host: "node-7.example.net", port: 51820 },
      persistentKeepaliveSeconds: 25,
    },
  });
}

test("every configuration is read back from its code", () => {
  for (let run = 0; run < 200; run++) {
    const text = randomConfig();
    expect(decodeMatrix(qrMatrix(text))).toBe(text);
  }
});

test("the SVG shows the matrix", () => {
  const text = randomConfig();
  expect(paintSvg(qrSvg(text))).toEqual(qrMatrix(text));
});

test("the PNG shows the matrix at ten pixels a module and one bit a pixel", () => {
  const text = randomConfig();
  const matrix = qrMatrix(text);
  const { width, height, bits, rows } = readPng(qrPng(text));
  expect([width, height, bits]).toEqual([matrix.length * 10, matrix.length * 10, 1]);
  const expected = matrix.flatMap((modules) => {
    const row = modules.flatMap((isDark) => new Array<boolean>(QR_BOX_PIXELS).fill(isDark));
    return new Array<boolean[]>(QR_BOX_PIXELS).fill(row);
  });
  expect(rows).toEqual(expected);
});

test("a border of four modules stays white", () => {
  const matrix = qrMatrix("x");
  const end = matrix.length - QR_BORDER_MODULES;
  const dark = matrix.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [[x, y]] : []))).flat();
  expect(Math.min(...dark)).toBe(QR_BORDER_MODULES);
  expect(Math.max(...dark)).toBe(end - 1);
});

test("data URLs hold the same images", () => {
  const [svg = "", png = ""] = [qrSvgDataUrl("text"), qrPngDataUrl("text")].map((url) => url.split(",")[1]);
  expect(Buffer.from(svg, "base64").toString()).toBe(qrSvg("text"));
  expect(Buffer.from(png, "base64")).toEqual(qrPng("text"));
});

test("a text is taken up to what version 40 holds", () => {
  expect(decodeMatrix(qrMatrix("ü".repeat(QR_TEXT_BYTES_MAX / 2)))).toHaveLength(
    Math.floor(QR_TEXT_BYTES_MAX / 2),
  );
  expect(() => qrMatrix("x".repeat(QR_TEXT_BYTES_MAX + 1))).toThrow("fits");
});

const hasZbar = hasProgram("zbarimg");
test.skipIf(!hasZbar)(
  `zbar reads the PNG${hasZbar ? "" : " (skipped: needs the program zbarimg)"}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "securewave-qr-"));
    try {
      const texts = Array.from({ length: 20 }, randomConfig);
      const paths = texts.map((_, index) => join(folder, `${index}.png`));
      for (const [index, text] of texts.entries()) writeFileSync(paths[index] ?? "", qrPng(text));
      const read = await promisify(execFile)("zbarimg", [
        "-q",
        "--raw",
        "-Sdisable",
        "-Sqrcode.enable",
        "-Sbinary",
        ...paths,
      ]);
      expect(read.stdout).toBe(texts.join(""));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

/** Reads the code with the decoder of the library, from an image of three pixels a module. */
function decodeMatrix(matrix: readonly (readonly boolean[])[]): string {
  const scale = 3;
  const side = matrix.length * scale;
  const data = new Uint8Array(side * side * 4);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const isDark = matrix[Math.floor(y / scale)]?.[Math.floor(x / scale)];
      data.fill(isDark ? 0 : 255, (y * side + x) * 4, (y * side + x) * 4 + 3);
    }
  }
  return decodeQR({ width: side, height: side, data });
}

/** Walks the pen of the SVG's path over modules. */
function paintSvg(svg: string): boolean[][] {
  const side = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  expect(svg.match(/<path/g)).toHaveLength(1);
  expect(svg).toContain(`width="${side * QR_BOX_PIXELS}" height="${side * QR_BOX_PIXELS}"`);
  const modules = Array.from({ length: side }, () => new Array<boolean>(side).fill(false));
  let [x, y] = [0, 0];
  for (const [, verb, number] of (/ d="([^"]*)"/.exec(svg)?.[1] ?? "").matchAll(
    /(M0 |m|h)(\d+)(?:\.5| 0)?/g,
  )) {
    const value = Number(number);
    if (verb === "M0 ") [x, y] = [0, value];
    if (verb === "h") modules[y]?.fill(true, x, x + value);
    if (verb !== "M0 ") x += value;
  }
  return modules;
}

function readPng(png: Buffer) {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const dataLength = png.readUInt32BE(33);
  const rowBytes = 1 + Math.ceil(width / 8);
  const data = inflateSync(png.subarray(41, 41 + dataLength));
  let above = Buffer.alloc(rowBytes - 1);
  const rows = Array.from({ length: height }, (_, y) => {
    const [filter, ...bytes] = data.subarray(y * rowBytes, (y + 1) * rowBytes);
    const row = Buffer.from(bytes.map((byte, index) => (filter === 2 ? byte + (above[index] ?? 0) : byte)));
    above = row;
    return Array.from({ length: width }, (_, x) => (((row[x >> 3] ?? 0) >> (7 - (x & 7))) & 1) === 0);
  });
  return { width, height, bits: png[24], rows };
}
