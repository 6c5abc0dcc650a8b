import { drawGhosts, type Ghost, type Step } from "@securewave/ghosts";
import type { CallService } from "./service-calls.ts";

/** Ghosts ask the service, from addresses of their own as far as this machine has any, and tell it more of them. */
export function visitStep(call: CallService, seed: Uint8Array): Step {
  return {
    does: "each fails to log in, and asks for pages with its addresses and name in the URL, the headers and the body",
    async act(ghosts) {
      const sockets = process.platform === "linux" ? socketsOf(ghosts, seed) : [];
      for (const [index, ghost] of ghosts.entries()) await visit(call, ghost, index, sockets[index]?.ipv4);
      return [...ghosts, ...sockets];
    },
  };
}

/** What the service sees at the other end of the connection: an address of loopback, which has 16 million. */
function socketsOf(ghosts: readonly Ghost[], seed: Uint8Array): Ghost[] {
  const names = ghosts.map(({ name }) => `${name}, socket`);
  return drawGhosts(seed, names).map((drawn) => ({
    ...drawn,
    ipv4: (drawn.tunnelIpv4 ?? "").replace(/^10\./, "127."),
    publicKey: undefined,
    tunnelIpv4: undefined,
    tunnelIpv6: undefined,
    receivedBytes: undefined,
    sentBytes: undefined,
    atMicroseconds: undefined,
  }));
}

async function visit(
  call: CallService,
  { ipv4, ipv6, dnsName, receivedBytes }: Ghost,
  index: number,
  localAddress: string | undefined,
): Promise<void> {
  const said = encodeURIComponent(`${ipv4} ${ipv6} ${dnsName}`);
  const headers = { "user-agent": dnsName, referer: `https://${dnsName}/` };
  const from = (address: string) => ({
    ...headers,
    "x-forwarded-for": address,
    forwarded: `for="${address}"`,
  });
  const logIn = { email: `nobody-${index}@example.org`, password: `at ${ipv4}, ${ipv6}` };
  const [log, devices] = ["/api/auth/login", "/api/vpn/devices"];
  const both = { localAddress };
  await call({ ...both, method: "POST", path: log, body: logIn, headers: from(ipv4) });
  await call({
    ...both,
    method: "POST",
    path: log,
    body: { [dnsName]: [ipv4, receivedBytes] },
    headers: from(ipv6),
  });
  await call({ ...both, method: "GET", path: `${devices}?from=${said}`, headers: from(ipv6) });
  await call({ ...both, method: "GET", path: `/${dnsName}/${ipv4}.html`, headers: from(ipv4) });
}
