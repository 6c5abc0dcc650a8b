import type { ServiceStatus } from "@securewave/contracts";
import { escapeHtml } from "@securewave/foundation/html";

interface Entry {
  readonly id: string;
  readonly title: string;
  readonly updated: string;
  readonly text: string;
  readonly anchor: string;
}

/** Every update of an incident and every maintenance as an entry, the newest first. @see RFC 4287 */
export function atomFeed({ service, incidents, maintenance }: ServiceStatus, publicUrl: string): string {
  const page = `${publicUrl}/status`;
  const entries: Entry[] = [
    ...incidents.flatMap(({ id, title, updates }) =>
      updates.map((update) => ({
        id: update.id,
        title: `${title}: ${update.state}`,
        updated: update.posted_at,
        text: update.text,
        anchor: id,
      })),
    ),
    ...maintenance.map(({ id, title, text, starts_at, ends_at, announced_at, is_emergency }) => ({
      id,
      title: `${is_emergency ? "Emergency maintenance" : "Maintenance"}: ${title}`,
      updated: announced_at,
      text: `From ${starts_at} to ${ends_at}.\n${text}`,
      anchor: id,
    })),
  ].sort((a, b) => (a.updated < b.updated ? 1 : -1));
  const updated = entries[0]?.updated ?? "1970-01-01T00:00:00.000Z";
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>${escapeHtml(page)}</id>
<title>${escapeHtml(service)}: status</title>
<updated>${updated}</updated>
<author><name>${escapeHtml(service)}</name></author>
<link rel="self" href="${escapeHtml(`${page}/feed.atom`)}"/>
<link rel="alternate" type="text/html" href="${escapeHtml(page)}"/>
${entries.map((entry) => entryOf(entry, page)).join("\n")}
</feed>
`;
}

function entryOf({ id, title, updated, text, anchor }: Entry, page: string): string {
  return `<entry>
<id>${escapeHtml(`${page}#${id}`)}</id>
<title>${escapeHtml(title)}</title>
<updated>${updated}</updated>
<link rel="alternate" href="${escapeHtml(`${page}#${anchor}`)}"/>
<content type="text">${escapeHtml(text)}</content>
</entry>`;
}
