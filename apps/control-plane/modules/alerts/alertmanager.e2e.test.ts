import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { ALERTMANAGER_DEFAULTS, alertmanagerFile } from "@securewave/monitoring/render/alertmanager";
import { yamlOf } from "@securewave/monitoring/render/files";
import { prometheusFile, rulesFile } from "@securewave/monitoring/render/prometheus";
import { freeTcpPort, startProcess } from "@securewave/testing";
import { eventually } from "@securewave/testing/eventually";
import { openMailServer } from "@securewave/testing/mail";
import { requirements } from "@securewave/testing/requirements";
import { temporaryDir } from "@securewave/testing/temporary";
import { expect, test } from "vitest";
import { connectNode, openTestApp } from "../../testing.ts";

const BRIDGE = fileURLToPath(import.meta.resolve("@securewave/monitoring/teams-bridge"));
const needs = requirements({ tools: ["prometheus", "prometheus-alertmanager"] });
const PATIENCE = { timeoutMs: 60_000 };

interface Received {
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of any form
  readonly json: any;
}

/** Stands where Slack, Teams and PagerDuty would be, and keeps what it gets. */
async function openReceiver() {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    received.push({ path: request.url ?? "", json: JSON.parse(await text(request)) });
    response.writeHead(202, { "content-type": "application/json" }).end('{"status":"success"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (path: string) => received.filter((each) => each.path === path).map(({ json }) => json),
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

/** The rules as they are shipped, but for how long something must last. */
function hastyRules(): object {
  return JSON.parse(JSON.stringify(rulesFile()).replace(/"for":"\d+m"/g, '"for":"2s"'));
}

test.skipIf(!needs.ok)(
  needs.title(
    "an alert of a real service reaches Slack, Teams, PagerDuty and a mailbox, and so does its end",
  ),
  async () => {
    await using stack = new AsyncDisposableStack();
    const dir = stack.adopt(temporaryDir("alertmanager"), (each) => each.remove());
    const receiver = stack.use(await openReceiver());
    const mail = stack.use(await openMailServer());
    const service = stack.adopt(await openTestApp(), (each) => each.close());
    const metrics = stack.adopt(
      await service.app.telemetry.listen("127.0.0.1", 0),
      (each) => void each.close(),
    );
    const write = (name: string, content: string) => {
      writeFileSync(join(dir.path, name), content, { mode: 0o600 });
      return join(dir.path, name);
    };
    const start = async (command: string, args: readonly string[], readyWhen?: RegExp) =>
      stack.adopt(
        await startProcess({ command, args, cwd: dir.path, ...(readyWhen && { readyWhen }) }),
        async (each) => void (await each.stop()),
      );

    const bridgePort = await freeTcpPort();
    const teamsUrl = write("teams-url", `${receiver.url}/teams\n`);
    await start(process.execPath, [BRIDGE, teamsUrl, `127.0.0.1:${bridgePort}`], /listening/);
    const alertmanager = await freeTcpPort();
    const { user: _user, passwordFile: _password, ...smtp } = ALERTMANAGER_DEFAULTS.smtp;
    const config = alertmanagerFile({
      ...ALERTMANAGER_DEFAULTS,
      slackUrlFile: write("slack-url", `${receiver.url}/slack`),
      teamsBridgeUrl: `http://127.0.0.1:${bridgePort}/alerts`,
      pagerDutyKeyFile: write("pagerduty-key", "0123456789abcdef0123456789abcdef"),
      pagerDutyUrl: `${receiver.url}/pagerduty`,
      smtp: { ...smtp, smarthost: `${mail.host}:${mail.port}`, requireTls: false },
      waits: { group: "1s", interval: "1s" },
    });
    await start("prometheus-alertmanager", [
      `--config.file=${write("alertmanager.yml", yamlOf(config))}`,
      `--storage.path=${join(dir.path, "alertmanager")}`,
      `--web.listen-address=127.0.0.1:${alertmanager}`,
      "--cluster.listen-address=",
    ]);
    write("rules.yml", yamlOf(hastyRules()));
    const prometheus = prometheusFile({
      targets: [`127.0.0.1:${(metrics.address() as AddressInfo).port}`],
      alertmanagers: [`127.0.0.1:${alertmanager}`],
      rulesPath: "rules.yml",
      scrapeSeconds: 1,
    });
    await start("prometheus", [
      `--config.file=${write("prometheus.yml", yamlOf(prometheus))}`,
      `--storage.tsdb.path=${join(dir.path, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${await freeTcpPort()}`,
    ]);

    const node = await connectNode(service);
    await node.disconnect();
    const isAbout = (json: unknown) => JSON.stringify(json).includes("NodeOffline");
    const slack = () => receiver.to("/slack").filter(isAbout);
    const teams = () => receiver.to("/teams").filter(isAbout);
    const pagerDuty = () => receiver.to("/pagerduty").filter(isAbout);
    const mails = () => mail.messages().filter(({ subject }) => subject?.includes("NodeOffline"));
    await eventually(() => {
      expect(slack()[0]?.attachments[0]).toMatchObject({
        color: "danger",
        title: "FIRING (1): NodeOffline",
        text: expect.stringContaining("docs/runbooks/alerts.md#node-offline"),
      });
      expect(teams()[0]?.attachments[0].content.body[0]).toMatchObject({
        text: "FIRING: NodeOffline",
        color: "attention",
      });
      expect(pagerDuty()[0]).toMatchObject({
        event_action: "trigger",
        routing_key: "0123456789abcdef0123456789abcdef",
        payload: { severity: "critical", class: "nodes", component: "securewave" },
      });
      expect(mails()[0]?.to).toEqual(["operators@example.org"]);
    }, PATIENCE);

    await node.connect();
    await eventually(() => {
      expect(slack().at(-1)?.attachments[0]).toMatchObject({ color: "good", title: "RESOLVED: NodeOffline" });
      expect(teams().at(-1)?.attachments[0].content.body[0]).toMatchObject({ text: "RESOLVED: NodeOffline" });
      expect(pagerDuty().at(-1)).toMatchObject({
        event_action: "resolve",
        dedup_key: pagerDuty()[0]?.dedup_key,
      });
      expect(mails().at(-1)?.subject).toBe("RESOLVED: NodeOffline");
    }, PATIENCE);
    await node.disconnect();
  },
);
