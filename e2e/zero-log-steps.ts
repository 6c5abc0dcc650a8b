import { randomInt } from "node:crypto";
import type { DeviceWithTunnel } from "@securewave/contracts";
import type { Ghost, Step } from "@securewave/ghosts";
import {
  eventually,
  LAB_ADDRESSES,
  type RunResult,
  run,
  runOrThrow,
  type WireGuardClient,
} from "@securewave/testing";
import { configOf } from "./device-config.ts";
import { PASSWORD, type Person, register } from "./people.ts";
import type { ZeroLogScene } from "./zero-log-scene.ts";
import { addComputer, carries, type GhostComputer, SERVICE_HOST } from "./zero-log-tunnels.ts";

const API_URL = `http://${SERVICE_HOST}:8000`;
/** Above what occurs by chance: 2^23 is the least count that the kit looks for. */
const DOWNLOAD_BYTES_MIN = 9_000_000;
const DOWNLOAD_BYTES_SPREAD = 2_000_000;
/** A node reports every 5 s. */
const REPORT_TIMEOUT_MS = 60_000;
/** Longer than WireGuard remembers a session: §6.1, REJECT_AFTER_TIME. */
const LATER_MS = 300_000;

/** A ghost with an account, a device and a computer. */
export interface Customer {
  readonly ghost: Ghost;
  readonly person: Person;
  readonly device: DeviceWithTunnel;
  readonly computer: GhostComputer;
}

/** Registers each ghost, gives it a device with its own key, and a computer at its own addresses. */
export async function makeCustomers(scene: ZeroLogScene, ghosts: readonly Ghost[]): Promise<Customer[]> {
  return Promise.all(
    ghosts.map(async (ghost) => {
      const computer = await addComputer(scene.lab, ghost);
      const email = `${computer.namespace}@example.org`;
      const person = await register(scene.baseUrl, email, scene.outboxDir);
      const body = { name: "Laptop", public_key: ghost.publicKey ?? "" };
      return { ghost, person, computer, device: await person.client.devices.create({ body }) };
    }),
  );
}

/** What is known of a ghost once it has a device. */
export function tunnelled({ ghost, device }: Customer): Ghost {
  const tunnelIpv4 = device.tunnel?.addresses.find((address) => !address.includes(":"))?.split("/")[0];
  // The service's IPv6 addresses are the pool's /64 and a small number, which are nobody's mark.
  return { ...ghost, tunnelIpv4, tunnelIpv6: undefined };
}

export function configurationOf({ ghost, device }: Customer): string {
  return configOf(ghost.privateKey, device);
}

/** Asks the service from a ghost's own address. */
export function ask({ ghost, namespace }: GhostComputer, path: string, body?: unknown): Promise<RunResult> {
  const data = body === undefined ? [] : ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
  const forwarded = `X-Forwarded-For: ${body === undefined ? ghost.ipv6 : ghost.ipv4}`;
  const form = ["-sS", "-g", "-o", "/dev/null", "-w", "%{http_code}", "-m", "20", "-A", ghost.dnsName];
  return runOrThrow("curl", [...form, "-H", forwarded, ...data, `${API_URL}${path}`], { namespace });
}

/** What a proxy that is believed passes on of a ghost. */
async function passOn(scene: ZeroLogScene, { ipv6, dnsName }: Ghost, path: string): Promise<number> {
  const headers = { "x-forwarded-for": ipv6, "user-agent": dnsName };
  const answer = await fetch(`${scene.baseUrl}${path}`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

/** Calls the service in every way that names a ghost. @returns the answers' codes */
async function callEveryWay(scene: ZeroLogScene, { ghost, person, computer }: Customer): Promise<number[]> {
  const { ipv4, ipv6, dnsName, receivedBytes } = ghost;
  const canary = encodeURIComponent(`${ipv4} ${ipv6} ${dnsName}`);
  const { email } = person;
  const asked = [
    await ask(computer, "/api/auth/login", { email, password: `at ${ipv4}, ${ipv6}` }),
    await ask(computer, "/api/auth/login", { email, password: PASSWORD }),
    await ask(computer, "/api/auth/login", { [dnsName]: [ipv4, receivedBytes] }),
    await ask(computer, `/api/vpn/devices?from=${canary}`),
    await ask(computer, `/${dnsName}/${ipv4}`),
  ];
  return [
    ...asked.map(({ stdout }) => Number(stdout)),
    await passOn(scene, ghost, `/api/vpn/devices?from=${canary}`),
    await passOn(scene, ghost, `/${dnsName}/${ipv4}`),
  ];
}

/** 200 for the right password; the others are refused. */
const ANSWERS = [401, 200, 400, 401, 404, 401, 404].join();

/** Loads so many bytes through a tunnel. */
export async function download({ namespace }: GhostComputer, bytes: number): Promise<void> {
  const url = `http://${LAB_ADDRESSES.internet.v4}/${bytes}`;
  await runOrThrow("curl", ["-sS", "-o", "/dev/null", "-m", "60", url], { namespace, timeoutMs: 70_000 });
}

/** What WireGuard on the node has of a key: endpoint, last handshake, bytes from it and to it. */
export async function peerOnNode({ lab, node }: ZeroLogScene, publicKey: string) {
  const { stdout } = await runOrThrow("wg", ["show", node.interfaceName, "dump"], { namespace: lab.node });
  const line = stdout.split("\n").find((text) => text.startsWith(`${publicKey}\t`));
  const [, , endpoint = "", , handshake, received, sent] = line?.split("\t") ?? [];
  return line === undefined
    ? undefined
    : { endpoint, handshake: Number(handshake), received: Number(received), sent: Number(sent) };
}

/** Has the ledger written now: what is in the store says that it was never written before. */
export async function flushLedger({ postgres: { access } }: ZeroLogScene): Promise<void> {
  const generation = async () =>
    Number((await access.query("select generation from usage_ledger_state"))[0]?.generation);
  await access.query("update usage_ledger_state set flushed_on = null");
  const before = await generation();
  await access.query("update job_states set requests = requests + 1 where name = 'ledger-flush'");
  await eventually(
    async () => {
      if ((await generation()) === before) throw new Error("the ledger is as it was");
    },
    { timeoutMs: 60_000, everyMs: 200 },
  );
}

/** Lets the node forget: the agent begins anew at a time when all sessions are over. */
async function passTime({ node }: ZeroLogScene): Promise<void> {
  const script = `const now = Date.now; Date.now = () => now() + ${LATER_MS};`;
  const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --import=data:text/javascript,${encodeURIComponent(script)}`;
  await node.killAgent();
  await node.startAgent({ NODE_OPTIONS });
}

/** All that ghosts do, and what is done about them. */
export function ghostSteps(scene: ZeroLogScene): Step[] {
  let customers: Customer[] = [];
  const clients = new Map<Customer, WireGuardClient>();
  const learned = async () => customers.map(tunnelled);
  return [
    {
      does: "each registers and has a device with a key of its own",
      async act(ghosts) {
        customers = await makeCustomers(scene, ghosts);
        return learned();
      },
    },
    {
      does: "each fails to log in and then does, and asks for pages with its addresses and name in URL, header and body",
      async act() {
        for (const customer of customers) {
          const answers = (await callEveryWay(scene, customer)).join();
          if (answers !== ANSWERS) throw new Error(`the service answered ${answers}`);
        }
        return learned();
      },
    },
    {
      does: "half of them begin a handshake whose answer never arrives",
      async act() {
        const some = customers.filter((_, index) => index % 2 === 0);
        await Promise.all(some.map((customer) => customer.computer.halfConnect(configurationOf(customer))));
        return learned();
      },
    },
    {
      does: "each connects through a tunnel, over IPv4 or IPv6, and loads a number of bytes of its own",
      async act() {
        const connecting = customers.map(async (customer, index) => {
          const configuration = configurationOf(customer);
          clients.set(customer, await customer.computer.connect(configuration, index % 4 < 2 ? 4 : 6));
          await carries(customer.computer.namespace);
        });
        await Promise.all(connecting);
        for (const { computer } of customers) {
          await download(computer, DOWNLOAD_BYTES_MIN + randomInt(DOWNLOAD_BYTES_SPREAD));
        }
        await Promise.all(customers.map(isReported));
        return learned();
      },
    },
    {
      does: "while all are connected, the agent's heap is written down, and the service's ledger",
      async act() {
        await scene.snapshotHeap();
        await flushLedger(scene);
        return learned();
      },
    },
    {
      does: "all leave: every other device is removed, of the others the sessions end",
      async act() {
        for (const client of clients.values()) await client.down();
        const counts = await Promise.all(customers.map(({ device }) => peerOnNode(scene, device.public_key)));
        const removed = customers.filter((_, index) => index % 2 === 0);
        for (const { person, device } of removed) {
          await person.client.devices.revoke({ params: { id: device.id } });
        }
        await isForgotten(scene, removed);
        await passTime(scene);
        await isForgotten(scene, customers);
        return customers.map((customer, index) => ({
          ...tunnelled(customer),
          receivedBytes: counts[index]?.received,
          sentBytes: counts[index]?.sent,
        }));
      },
    },
    {
      does: "a mail is sent and a second ledger written after they left",
      async act() {
        await register(scene.baseUrl, "later@example.org", scene.outboxDir);
        await flushLedger(scene);
        return undefined;
      },
    },
  ];
}

async function isReported({ person, device }: Customer): Promise<void> {
  await eventually(
    async () => {
      const { connection } = await person.client.devices.show({ params: { id: device.id } });
      if (!connection.connected || connection.sent_bytes < DOWNLOAD_BYTES_MIN)
        throw new Error("it is not reported");
    },
    { timeoutMs: REPORT_TIMEOUT_MS, everyMs: 250 },
  );
}

/** Waits until node and kernel have nothing of who was connected, tunnel addresses among it. */
async function isForgotten(scene: ZeroLogScene, customers: readonly Customer[]): Promise<void> {
  await eventually(
    async () => {
      for (const { device } of customers) {
        const peer = await peerOnNode(scene, device.public_key);
        const isEmpty =
          peer === undefined ||
          (peer.endpoint === "(none)" && peer.handshake + peer.received + peer.sent === 0);
        if (!isEmpty) throw new Error("WireGuard remembers a customer");
      }
      const { stdout } = await run("cat", ["/proc/net/nf_conntrack"], { namespace: scene.lab.node });
      const addresses = customers.flatMap(({ device }) => device.tunnel?.addresses ?? []);
      for (const address of addresses) {
        if (hasFlow(stdout, address)) throw new Error("connection tracking remembers a customer");
      }
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
}

/** In /proc IPv6 addresses stand in full; those of tunnels end with a small number. */
function hasFlow(flows: string, address: string): boolean {
  const [ip = ""] = address.split("/");
  const [network = "", host = ""] = ip.split("::");
  if (!ip.includes(":")) return flows.includes(`=${ip} `);
  return flows.includes(`=${network}:0000:0000:0000:${host.padStart(4, "0")} `);
}
