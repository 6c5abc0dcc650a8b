import {
  addressAt,
  generatePresharedKey,
  parseEndpoint,
  parsePool,
  qrSvg,
  renderConfig,
} from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { encodeQR } from "qr";
import type { Bench } from "./figure.ts";
import { cpuTimed, median } from "./statistics.ts";

const ROUNDS = 9;
const WARM_UP = 200;

/** Codes of a real configuration on one core. Each is another text, as in life. */
export const qr: Bench = {
  name: "qr",
  async measure({ isQuick, report }) {
    const perRound = isQuick ? 50 : 400;
    const texts = Array.from({ length: perRound }, (_, at) => configText(at));
    // As bytes, since a text that nobody reads may be put together only in part.
    const ours = () => texts.reduce((sum, text) => sum + Buffer.byteLength(qrSvg(text)), 0);
    const library = () =>
      texts.reduce(
        (sum, text) => sum + Buffer.byteLength(encodeQR(text, "svg", { ecc: "low", border: 4 })),
        0,
      );
    for (const text of texts.slice(0, WARM_UP)) qrSvg(text);
    const times = { ours: [] as number[], library: [] as number[] };
    for (let round = 0; round < (isQuick ? 3 : ROUNDS); round++) {
      times.ours.push(await cpuTimed(ours));
      times.library.push(await cpuTimed(library));
    }
    const perSecond = (values: readonly number[]) => (perRound * 1000) / median(values);
    const bytes = Buffer.byteLength(qrSvg(texts[0] ?? ""));
    report({
      id: "qr.per_second",
      value: perSecond(times.ours),
      unit: "1/s",
      limit: perSecond(times.library),
      goal: ">=2000",
      note: `SVG of ${(bytes / 1024).toFixed(1)} kB, each second of one core; limit: the bare library qr making its SVG`,
    });
  },
};

/** A configuration as the service writes it, of one device after the other. */
export function tunnelOf(index: number) {
  const pool = parsePool("10.8.0.0/16");
  const pool6 = parsePool("fd5e:c0de:8::/64");
  const endpoint = parseEndpoint("vpn1.example.org:51820");
  if (pool === undefined || pool6 === undefined || endpoint === undefined) throw new TypeError("no pool");
  return {
    privateKey: generateKeyPair().privateKey,
    addresses: [`${addressAt(pool, BigInt(index + 2))}/32`, `${addressAt(pool6, BigInt(index + 2))}/128`],
    dns: ["9.9.9.9", "2620:fe::fe"],
    mtu: 1420,
    peer: {
      publicKey: generateKeyPair().publicKey,
      presharedKey: generatePresharedKey(),
      allowedIps: ["0.0.0.0/0", "::/0"],
      endpoint,
      persistentKeepaliveSeconds: 25,
    },
  };
}

function configText(index: number): string {
  return renderConfig(tunnelOf(index));
}
