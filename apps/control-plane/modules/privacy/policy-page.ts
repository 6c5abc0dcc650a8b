import { escapeHtml, htmlPage } from "@securewave/foundation/html";
import { catalogue, POLICY_HEADINGS, type PolicyRow, policyRows } from "@securewave/privacy";
import type { FastifyInstance } from "fastify";
import { addPage } from "../../http/page.ts";

/** Where people are led who want to read the policy, unless PRIVACY_POLICY_URL names the operator's own. */
export const POLICY_PATH = "/privacy-policy";

const LEAD = `<p>This is what the software that runs this service holds of its customers, from the list by which that
software is checked. Whoever runs the service can publish a policy of their own in its place.</p>
<p><strong>What the service does not know</strong>: which sites you visit, what you look up, what you send. From where,
when and for how long you are connected is in the memory of its servers while you are, and is written nowhere: the
<a href="/zero-log">zero-log report</a> shows it.</p>
<p>“Memory only” means: never in a database, a log or a backup, and gone when the program ends, at the latest.</p>
`;
const RIGHTS = `<h2>What you may ask for</h2>
<p>Everything that is kept about you in one file, that it be corrected, or that your account be erased, in all backups at
once: in the console under <a href="/account/privacy">Account, Privacy</a>. What you ask there is answered within a month.</p>
`;

export function addPolicyPage(app: FastifyInstance, isSecure: boolean): void {
  const page = htmlPage("Privacy policy", LEAD + table(policyRows(catalogue)) + RIGHTS);
  addPage(app, POLICY_PATH, isSecure, () => page);
}

function table(rows: readonly PolicyRow[]): string {
  const headings = Object.values(POLICY_HEADINGS).map((heading) => `<th scope="col">${heading}</th>`);
  const lines = rows.map((row) => {
    const cells = Object.values(row).map((cell) => `<td>${withCode(cell)}</td>`);
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<div class="wide"><table>
<thead><tr>${headings.join("")}</tr></thead>
<tbody>
${lines.join("\n")}
</tbody>
</table></div>
`;
}

/** The list is written in Markdown, of which it uses the marks for code alone. */
function withCode(markdown: string): string {
  return escapeHtml(markdown).replace(/`([^`]*)`/g, "<code>$1</code>");
}
