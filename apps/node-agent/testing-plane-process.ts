/**
 * A test plane inside a network namespace. Agents get the peers of a file, and get them anew on SIGHUP; on SIGUSR2 the
 * agent's node is a removed one.
 *
 * Arguments: the port, the file with the peers, the file that holds its key from one start to the next.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type PlaneFrame, REFUSALS } from "@securewave/contracts/node-protocol";
import { createPlaneKeys, openTestPlane } from "./testing-plane.ts";

const [port = "0", peersPath = "", keyPath = ""] = process.argv.slice(2);

if (!existsSync(keyPath)) {
  writeFileSync(keyPath, createPlaneKeys().privateKey.export({ type: "pkcs8", format: "pem" }));
}
const privateKey = createPrivateKey(readFileSync(keyPath));

let revision = 0;
function snapshot(): PlaneFrame {
  return { type: "snapshot", revision: ++revision, peers: JSON.parse(readFileSync(peersPath, "utf8")) };
}

const plane = await openTestPlane({
  port: Number(port),
  keys: { privateKey, publicKey: createPublicKey(privateKey) },
  onProof: () => [{ type: "tiers", speeds: [] }, snapshot()],
});
process.on("SIGHUP", () => plane.send(snapshot()));
process.on("SIGUSR2", () => plane.send({ type: "refused", code: REFUSALS.removed, detail: "For a test." }));
process.stdout.write(`listening ${plane.url} ${plane.joinToken}\n`);
