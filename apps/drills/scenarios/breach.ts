import { type Client, CREDENTIALS } from "@securewave/contracts";
import type { Drill, Measured } from "../drill.ts";
import { startHeartbeat } from "../parts/heartbeat.ts";
import { startNode } from "../parts/node.ts";
import { PASSWORD, type Person, startService } from "../parts/service.ts";
import { demand, until } from "../parts/waiting.ts";

const proof = { password: PASSWORD };
const LETTER = { subject: "About your account", text: "Somebody got in.\n\nYou need not do anything." };

/** Somebody got in: the service is closed, every credential ends and is tried, customers are told, all goes on. */
export async function breach(drill: Drill): Promise<Measured> {
  drill.step("a service with a customer, an API key, a link in a mail, and a server with a device");
  const service = await startService(drill, { name: "service" });
  const boss = await service.admin();
  const node = await startNode(drill, service, "Node-1");
  const customer = await service.customer("customer");
  const device = await customer.client.devices.create({ body: { name: "Phone" } });
  await node.holds(device.public_key);
  const key = await customer.client.apiKeys.create({
    body: { name: "Script", scopes: ["account:read"], ...proof },
  });
  await service.client().passwords.requestReset({ body: { email: customer.email } });
  const link = await until("the link in a mail", async () => {
    const found = (await service.mailsTo(customer.email)).join("\n").replace(/=\r?\n/g, "");
    const token = /#token=(?:3D)?(sw[a-z]_[A-Za-z0-9_-]+)/.exec(found)?.[1];
    demand(token !== undefined, "there is no mail");
    return token;
  });
  const heartbeat = startHeartbeat(boss.client);
  drill.closing.defer(heartbeat.stop);
  await heartbeat.nextAfter(performance.now());

  const faultMs = performance.now();
  const opened = await boss.client.breaches.start({ body: { summary: "A drill", ...proof } });
  const { id } = opened;
  drill.step("securewave breach start: only staff are let in");
  const closed = await refusalOf(customer.client.accounts.me());
  drill.check(`customers are let in no more (${closed})`, closed !== "ok");

  let admin = boss.client;
  for (const what of CREDENTIALS.filter((each) => each !== "late_nodes")) {
    await admin.breaches.rotate({ params: { id }, body: { what, ...proof } });
    drill.step(`securewave breach rotate ${what}`);
    if (what === "signing") admin = await renewed(service.client(), boss, service.client);
  }
  heartbeat.follow(admin);

  await node.program.waitFor(/^renewed$/);
  process.kill(node.program.pid, "SIGUSR2");
  const former = await node.program.waitFor(/^former /);
  drill.check(
    `the server's former credential is refused (${former.slice(7)})`,
    /not_recognised/.test(former),
  );
  await until("nothing being left under former keys", async () => {
    const { waiting } = await admin.breaches.show({ params: { id } });
    demand(waiting.secrets === 0 && waiting.nodes.length === 0, "something is");
  });
  drill.step("everything is sealed under the new key, and every server has another credential");

  await admin.breaches.notify({ params: { id }, body: { ...LETTER, ...proof } });
  drill.step("securewave breach notify");
  await admin.breaches.close({ params: { id }, body: { text: "It was a drill", ...proof } });
  drill.step("securewave breach close: everybody is let in again");

  // With the service open, what refuses is that the credential has ended.
  const tried = {
    "the customer's access token": refusalOf(customer.client.accounts.me()),
    "the customer's refresh token": refusalOf(
      service.client().sessions.refresh({ body: { refresh_token: customer.refreshToken } }),
    ),
    "the admin's former access token": refusalOf(boss.client.accounts.me()),
    "the API key": refusalOf(service.client(key.text).accounts.me()),
    "the link in the mail": refusalOf(
      service.client().passwords.reset({ body: { token: link, password: `${PASSWORD}2` } }),
    ),
  };
  for (const [whose, refusal] of Object.entries(tried)) {
    const code = await refusal;
    drill.check(`${whose} is refused (${code})`, /not_logged_in|invalid/.test(code));
  }
  const again = await service.logIn(customer.email);
  const rtoSeconds = (performance.now() - faultMs) / 1000;
  drill.step("the customer has logged in anew");
  const devices = (await again.client.devices.list()).items.length;
  drill.check("the customer's device is there, and its server had it all the time", devices === 1);

  const letters = await until("the letters", async () => {
    const found = (await service.mailsTo(customer.email)).filter((mail) => mail.includes(LETTER.subject));
    demand(found.length > 0, "there is none");
    return found.length;
  });
  drill.check("the customer got one letter", letters === 1);
  const { entries } = await admin.breaches.show({ params: { id } });
  drill.check(`the timeline has every act (${entries.length})`, entries.length === 11);
  return { rtoSeconds, ...(await heartbeat.settle(admin, faultMs)) };
}

/** An admin's client goes on by its refresh token, which was spared. */
async function renewed(
  visitor: Client,
  person: Person,
  clientOf: (token: string) => Client,
): Promise<Client> {
  const { access_token } = await visitor.sessions.refresh({ body: { refresh_token: person.refreshToken } });
  return clientOf(access_token);
}

async function refusalOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "ok",
    (error: unknown) =>
      error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown",
  );
}
