import {
  createNetwork,
  eventually,
  labRequirements,
  type RunningProcess,
  runOrThrow,
  startProcess,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderRules } from "./firewall.ts";

const lab = labRequirements();
const PORT = 51820;
const SENT = 3000;

/** Counts datagrams by their first byte, and writes the counts whenever a new one of kind 9 comes. */
const LISTENER = `
  const counts = {};
  const socket = require("dgram").createSocket({ type: "udp4", recvBufferSize: 8 << 20 });
  socket.on("message", (message) => {
    counts[message[0]] = (counts[message[0]] ?? 0) + 1;
    if (message[0] === 9) console.log(JSON.stringify(counts));
  });
  socket.bind(${PORT}, () => console.log("bound"));
`;
const SENDER = `
  const [host, kind, count] = process.argv.slice(1);
  const socket = require("dgram").createSocket("udp4");
  const message = Buffer.alloc(148);
  message[0] = Number(kind);
  (async () => {
    for (let sent = 0; sent < count; sent++) {
      await new Promise((resolve) => socket.send(message, ${PORT}, host, resolve));
    }
    socket.close();
  })();
`;

describe.skipIf(!lab.ok)(lab.title("a node that is flooded"), () => {
  const network = createNetwork();
  let node: string;
  let attacker: string;
  let listener: RunningProcess;

  beforeAll(async () => {
    node = await network.addNamespace("node");
    attacker = await network.addNamespace("attacker");
    await network.connect(node, attacker, {
      v4: ["198.18.1.1/24", "198.18.1.2/24"],
      v6: ["fd99::1/64", "fd99::2/64"],
    });
    const rules = renderRules("sw0", ["10.8.0.1/16", "fd5e:c0de::1/64"], PORT);
    await runOrThrow("nft", ["-f", "-"], { namespace: node, input: rules });
    listener = await startProcess({
      command: process.execPath,
      args: ["-e", LISTENER],
      namespace: node,
      readyWhen: /bound/,
    });
  });
  afterAll(async () => {
    await listener?.stop();
    await network.destroy();
  });

  test("initiations of one source are limited, other packets of the tunnel are not, and no source is kept", async () => {
    const startedMs = performance.now();
    await send(1, SENT);
    const seconds = (performance.now() - startedMs) / 1000;
    await send(4, SENT);
    const counts = await eventually(async () => {
      await send(9, 1);
      const last = listener.lines().at(-1) ?? "";
      expect(last).toContain('"9"');
      return JSON.parse(last);
    });
    expect(counts[1]).toBeGreaterThan(0);
    // A burst of 200, and 50 each second.
    expect(counts[1]).toBeLessThanOrEqual(200 + 50 * Math.ceil(seconds) + 1);
    expect(counts[4]).toBeGreaterThan(SENT / 2);
    const { stdout } = await runOrThrow("nft", ["list", "ruleset"], { namespace: node });
    expect(stdout).not.toContain("198.18.1.2");
  });

  async function send(kind: number, count: number): Promise<void> {
    await runOrThrow(process.execPath, ["-e", SENDER, "198.18.1.1", String(kind), String(count)], {
      namespace: attacker,
    });
  }
});
