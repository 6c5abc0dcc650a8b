import { api } from "@securewave/contracts";
import { htmlPage } from "@securewave/foundation/html";
import { renderPage } from "@securewave/ghosts/page";
import type { FastifyInstance } from "fastify";
import type { Mount } from "../../http/mount.ts";
import { addPage } from "../../http/page.ts";
import type { ZeroLog } from "./service.ts";

export function mountZeroLog(mount: Mount, zeroLog: ZeroLog): void {
  mount(api.zeroLog.latest, () => zeroLog.latest());
  mount(api.zeroLog.reports, async () => ({ items: await zeroLog.reports() }));
  mount(api.zeroLog.start, ({ body }) => zeroLog.start(body.is_quick ?? false));
  mount(api.zeroLog.run, () => ({ run: zeroLog.progress() ?? null }));
}

const NOTHING_YET = htmlPage(
  "Zero-log report",
  "<p>No search has been made yet. The first one is made within a day of the service’s start.</p>\n",
);

const VERIFYING = `<h2>Verify it yourself</h2>
<p>The signed report, and the key that it is signed with, is <a href="/api/zero-log"><code>/api/zero-log</code></a>.
<code>securewave audit verify-report</code> checks it on your machine alone; the signature is a
<a href="https://c2sp.org/signed-note">C2SP signed note</a>, which other programs read too.</p>
`;

/** Adds the page for everybody, which works without script. */
export function addZeroLogPage(app: FastifyInstance, zeroLog: ZeroLog, isSecure: boolean): void {
  addPage(app, "/zero-log", isSecure, async () => {
    const report = await zeroLog.latestReport();
    return report === undefined ? NOTHING_YET : renderPage(report, VERIFYING);
  });
}
