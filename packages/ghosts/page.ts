import { escapeHtml, htmlPage } from "@securewave/foundation/html";
import type { Kind } from "./identity.ts";
import type { Report, SurfaceReport } from "./report.ts";
import { complaintsOf } from "./report.ts";

/**
 * The report as a page that needs nothing else: no script, no font, no picture.
 *
 * @param more HTML for its end, such as where the signed report is
 */
export function renderPage(report: Report, more = ""): string {
  const searched = report.surfaces.reduce((sum, { bytes, unpackedBytes }) => sum + bytes + unpackedBytes, 0);
  const complaints = complaintsOf(report);
  const body = `<p class="outcome ${report.outcome}">${OUTCOMES[report.outcome]}</p>
<p>On ${escapeHtml(report.at.slice(0, 10))}, ${report.ghosts.length} made-up customers (“ghosts”) used ${escapeHtml(report.software.name)}
${escapeHtml(report.software.version)}. Their addresses, names and keys were made up for this search and occur nowhere else. Then
${formatBytes(searched)} were searched for any trace of them, each in ${report.encodings.length} encodings.</p>
${list("What was found", complaints)}
<h2>What the ghosts did</h2>
<ol>${report.steps.map((step) => `<li>${escapeHtml(step)}</li>`).join("")}</ol>
<h2>What was searched</h2>
<p>In each place a trace was planted on purpose. A search that does not find it proves nothing, and makes the report incomplete.</p>
<div class="wide"><table>
<thead><tr><th>Place</th><th>Files</th><th>Searched</th><th>Planted traces found</th><th>Traces of ghosts</th></tr></thead>
<tbody>
${report.surfaces.map(row).join("\n")}
</tbody>
</table></div>
${permitted(report.surfaces)}
<h2>What this does not show</h2>
<ul>${report.notCovered.map((text) => `<li>${escapeHtml(text)}</li>`).join("")}</ul>
<h2>For checking</h2>
<p>The signed report can be verified without asking us. The seed of the ghosts is <code>${escapeHtml(report.seed)}</code>.</p>
<details><summary>Encodings</summary><p>${report.encodings.map(escapeHtml).join("; ")}</p></details>
<details><summary>Packages that were opened</summary><p>${report.forms.map(escapeHtml).join("; ")}</p></details>
${more}`;
  return htmlPage("Zero-log report", body, STYLE);
}

const OUTCOMES: Readonly<Record<Report["outcome"], string>> = {
  clean: "No trace was found, and every planted one was.",
  leaking: "Traces of ghosts were found.",
  incomplete: "No trace was found, but the search was not complete.",
};

function row(surface: SurfaceReport): string {
  const found = surface.controls.filter(({ isFound }) => isFound).length;
  const cells = [
    escapeHtml(surface.title),
    String(surface.sources),
    formatBytes(surface.bytes + surface.unpackedBytes),
    `${found} of ${surface.controls.length}`,
    String(surface.hitsCount),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

/** A line for each reason, with what it is about and where. */
function permitted(surfaces: readonly SurfaceReport[]): string {
  const byReason = new Map<string, { readonly kinds: Set<string>; readonly titles: Set<string> }>();
  for (const { title, permits } of surfaces) {
    for (const { kind, reason } of permits) {
      const { kinds, titles } = byReason.get(reason) ?? { kinds: new Set(), titles: new Set() };
      byReason.set(reason, { kinds: kinds.add(KIND_NAMES[kind]), titles: titles.add(title) });
    }
  }
  const lines = Array.from(
    byReason,
    ([reason, { kinds, titles }]) => `${[...kinds].join(", ")}: ${reason}. In: ${[...titles].join("; ")}.`,
  );
  return list("What stands there by design", lines);
}

const KIND_NAMES: Readonly<Record<Kind, string>> = {
  ipv4: "IPv4 address",
  ipv6: "IPv6 address",
  dns_name: "Name asked for",
  tunnel_ipv4: "Address in the tunnel (IPv4)",
  tunnel_ipv6: "Address in the tunnel (IPv6)",
  public_key: "Key of the device",
  received_bytes: "Bytes received",
  sent_bytes: "Bytes sent",
  time: "Time",
};

function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `<h2>${title}</h2>\n<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>`;
}

export function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

const STYLE = `
.outcome{font-size:1.2rem;font-weight:600;padding:.75rem 1rem;border-left:.4rem solid #b45309}
.clean{border-color:#15803d}.leaking{border-color:#b91c1c}
`;
