import { createHash } from "node:crypto";
import { api } from "@securewave/contracts";
import { renderPage } from "@securewave/ghosts/page";
import { securityHeaders } from "@securewave/sentinel/headers";
import type { FastifyInstance } from "fastify";
import type { Mount } from "../../http/mount.ts";
import type { ZeroLog } from "./service.ts";

export function mountZeroLog(mount: Mount, zeroLog: ZeroLog): void {
  mount(api.zeroLog.latest, () => zeroLog.latest());
  mount(api.zeroLog.reports, async () => ({ items: await zeroLog.reports() }));
  mount(api.zeroLog.start, ({ body }) => zeroLog.start(body.is_quick ?? false));
  mount(api.zeroLog.run, () => ({ run: zeroLog.progress() ?? null }));
}

const NOTHING_YET = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Zero-log report</title>
</head>
<body>
<h1>Zero-log report</h1>
<p>No search has been made yet. The first one is made within a day of the service’s start.</p>
</body>
</html>
`;

const VERIFYING = `<h2>Verify it yourself</h2>
<p>The signed report, and the key that it is signed with, is <a href="/api/zero-log"><code>/api/zero-log</code></a>.
<code>securewave audit verify-report</code> checks it on your machine alone; the signature is a
<a href="https://c2sp.org/signed-note">C2SP signed note</a>, which other programs read too.</p>
`;

/** Adds the page for everybody, which works without script. */
export function addZeroLogPage(app: FastifyInstance, zeroLog: ZeroLog, isSecure: boolean): void {
  app.get("/zero-log", async (_request, reply) => {
    const report = await zeroLog.latestReport();
    const page = report === undefined ? NOTHING_YET : renderPage(report, VERIFYING);
    const [, style = ""] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    const contentSecurityPolicy = { "style-src": `'sha256-${hash}'` };
    return reply
      .headers(securityHeaders({ isSecure, contentSecurityPolicy }))
      .header("cache-control", "no-cache")
      .type("text/html; charset=utf-8")
      .send(page);
  });
}
