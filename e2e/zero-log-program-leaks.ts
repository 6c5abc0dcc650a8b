import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { textsSurface } from "@securewave/ghosts";
import { eventually, runOrThrow } from "@securewave/testing";
import type { Leak, Leaking } from "./zero-log-leaks.ts";
import { ask, type Customer, configurationOf, makeCustomers } from "./zero-log-steps.ts";
import { addComputer, carries } from "./zero-log-tunnels.ts";

/** Shows what a file has that a leak writes. */
const fileSurface = (id: string, rows: readonly number[]) => (dir: string) => [
  textsSurface({
    id,
    title: id,
    rows,
    read: async () => [{ name: id, content: await readFile(join(dir, id)) }],
  }),
];

async function connectAll({ scene, ghosts }: Leaking, family: 4 | 6 = 4): Promise<Customer[]> {
  const customers = await makeCustomers(scene, ghosts);
  await Promise.all(
    customers.map(async (customer) => {
      await customer.computer.connect(configurationOf(customer), family);
      await carries(customer.computer.namespace);
    }),
  );
  return customers;
}

/** What an agent says of all that it reads of WireGuard, as a debug log would. */
const TALKATIVE = `
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
const { connect } = net;
net.connect = (options, ...rest) => {
  const callback = options.onread?.callback;
  if (callback) {
    options.onread.callback = (length, buffer) => {
      const text = Buffer.from(buffer.buffer, buffer.byteOffset, length).toString();
      for (const [line] of text.matchAll(/^endpoint=.*$/gm)) process.stderr.write(line + "\\n");
      return callback(length, buffer);
    };
  }
  return connect(options, ...rest);
};
syncBuiltinESMExports();`;

/** Of service and node, in what they write. */
export const PROGRAM_LEAKS: readonly Leak[] = [
  {
    what: "a service that logs its requests, as web frameworks do by themselves",
    finds: { "service-log": "ipv4: text" },
    async act({ scene, ghosts }) {
      scene.plane.process.kill("SIGUSR2");
      for (const ghost of ghosts) await ask(await addComputer(scene.lab, ghost), "/api/health");
    },
    undo: async ({ plane }) => plane.process.kill("SIGUSR2"),
  },
  {
    what: "a service that prints a URL with a name in it",
    finds: { "service-output": "dns_name: text" },
    async act({ scene, ghosts }) {
      scene.plane.process.kill("SIGUSR2");
      for (const ghost of ghosts) await ask(await addComputer(scene.lab, ghost), `/${ghost.dnsName}`);
    },
    undo: async ({ plane }) => plane.process.kill("SIGUSR2"),
  },
  {
    what: "a log of who has which address in the tunnel",
    finds: { tunnels: "tunnel_ipv4: text" },
    own: fileSurface("tunnels", [2]),
    known: (ghosts) =>
      ghosts.map((ghost, index) => ({
        ...ghost,
        tunnelIpv4: `10.8.0.${20 + index}`,
        tunnelIpv6: `fd5e:c0de:8::${20 + index}`,
      })),
    async act({ ghosts, dir }) {
      const lines = ghosts.map(({ tunnelIpv4 }) => `{"event":"connected","address":"${tunnelIpv4}"}`);
      await writeFile(join(dir, "tunnels"), lines.join("\n"));
    },
  },
  {
    what: "metrics with a label of the device",
    finds: { metrics: "public_key: " },
    own: fileSurface("metrics", [20]),
    async act({ ghosts, dir }) {
      const lines = ghosts.map(({ publicKey }) => `device_connected{key="${publicKey}"} 1`);
      await writeFile(join(dir, "metrics"), lines.join("\n"));
    },
  },
  {
    what: "a trace with client.address, as Protocol Buffers",
    finds: { spans: "ipv4: text" },
    own: fileSurface("spans", [19]),
    async act({ ghosts, dir }) {
      const field = (value: string) => Buffer.concat([Buffer.of(0x0a, value.length), Buffer.from(value)]);
      const attributes = ghosts.flatMap(({ ipv4 }) => [field("client.address"), field(ipv4)]);
      await writeFile(join(dir, "spans"), Buffer.concat(attributes));
    },
  },
  {
    what: "a mail that says where somebody logged in from, in base64",
    finds: { mail: "ipv4: " },
    own: fileSurface("mail", [22]),
    async act({ ghosts, dir }) {
      const text = `${"Somebody logged in. ".repeat(3)}${ghosts.map(({ ipv4 }) => `It was ${ipv4}.`).join(" ")}`;
      const lines =
        Buffer.from(text)
          .toString("base64")
          .match(/.{1,76}/g) ?? [];
      const head = "Content-Transfer-Encoding: base64\r\n\r\n";
      await appendFile(join(dir, "mail"), `${head}${lines.join("\r\n")}\r\n`);
    },
  },
  {
    what: "a node that forgets nobody: its agent was killed while customers were connected",
    finds: { "node-kernel": "ipv4: text in wg show all dump" },
    async act(leaking) {
      await connectAll(leaking);
      await leaking.scene.node.killAgent();
    },
    undo: ({ node }) => node.startAgent(),
  },
  {
    what: "a node without the rule that keeps WireGuard out of connection tracking",
    finds: { "node-kernel": "in cat /proc/net/nf_conntrack" },
    async act(leaking) {
      const { lab, node } = leaking.scene;
      for (const chain of ["raw_prerouting", "raw_output"]) {
        const flush = ["flush", "chain", "inet", `securewave_${node.interfaceName}`, chain];
        await runOrThrow("nft", flush, { namespace: lab.node });
      }
      await connectAll(leaking, 6);
    },
  },
  {
    what: "an agent that logs what it reads of WireGuard, the endpoint with it",
    finds: { "node-log": "ipv4: text" },
    async act(leaking) {
      const { scene } = leaking;
      await scene.node.killAgent();
      const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(TALKATIVE)}`;
      await scene.node.startAgent({ NODE_OPTIONS });
      const customers = await connectAll(leaking);
      await eventually(
        () => {
          const text = scene.node.lines().join("\n");
          if (!customers.every(({ ghost }) => text.includes(ghost.ipv4)))
            throw new Error("nothing is logged yet");
        },
        { timeoutMs: 60_000 },
      );
    },
  },
];
