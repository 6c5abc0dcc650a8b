/**
 * A scrubber on an interface of its own, for `scrubber.e2e.test.ts`: in the network namespace that this process was
 * started in, with the limits that it is told. It writes a line for each tick: what a reading holds, in numbers.
 */
import { SECOND_MS } from "@securewave/foundation";
import { parsePrivateKey } from "@securewave/wireguard";
import { createSpawnedDriver } from "./drivers/spawned.ts";
import { createUserspaceDriver } from "./drivers/userspace.ts";
import { createHost } from "./host.ts";
import { parsePeerSpec } from "./peer-spec.ts";
import { createScrubber } from "./scrubber.ts";
import { createTraces } from "./traces.ts";

const TICK_MS = 250;

const setup = JSON.parse(process.argv[2] ?? "");
const peer = parsePeerSpec(setup.peer);
const privateKey = parsePrivateKey(setup.privateKey);
if (peer === undefined || privateKey === undefined) throw new Error("the keys are good ones");

const interfaceName: string = setup.interfaceName;
const userspace = createUserspaceDriver();
const driver =
  setup.kind === "userspace"
    ? userspace
    : createSpawnedDriver({
        runtimeDir: setup.runtimeDir,
        implementation: "userspace",
        async create(settings) {
          const outcome = await userspace.open(settings);
          userspace.detach();
          return outcome;
        },
      });
const settings = { name: interfaceName, privateKey, listenPort: 51820 };
await driver.open(settings);
const addresses = ["10.8.0.1/16", "fd5e:c0de::1/64"];
await createHost(interfaceName).apply({ addresses, mtu: 1420, listenPort: 51820 });
const present = await driver.read();
const removals = present.map(({ publicKey }) => publicKey).filter((key) => key !== peer.publicKey);
await driver.apply({ upserts: [{ peer, before: undefined }], removals });

const scrubber = createScrubber({
  driver,
  traces: createTraces({ interfaceName, cachesEveryMs: 0 }),
  peerOf: (publicKey) => (publicKey === peer.publicKey ? peer : undefined),
  onForgotten: () => process.stdout.write("forgotten\n"),
  tunnel: () => ({ addresses, peers: [peer] }),
  limits: setup.limits,
});
process.stdout.write("ready\n");

let isStopping = false;
process.on("SIGTERM", () => {
  isStopping = true;
});
const startedMs = performance.now();
while (!isStopping) {
  const reading = await driver.reports();
  const [counters] = reading.counters;
  const { hasEndpoint = false, lastHandshakeSeconds = 0, receivedBytes = 0, sentBytes = 0 } = counters ?? {};
  const atSeconds = (performance.now() - startedMs) / SECOND_MS;
  const bytes = receivedBytes + sentBytes;
  const hasHandshake = lastHandshakeSeconds > 0;
  process.stdout.write(`${JSON.stringify({ atSeconds, hasEndpoint, hasHandshake, bytes })}\n`);
  await scrubber.scrub(reading);
  await new Promise((resolve) => setTimeout(resolve, setup.tickMs ?? TICK_MS));
}
await scrubber.stop();
await driver.close(interfaceName);
