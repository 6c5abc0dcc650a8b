import type { ComponentState, Incident, Maintenance, ServiceStatus } from "@securewave/contracts";
import { escapeHtml, htmlPage } from "@securewave/foundation/html";
import { nameOf } from "../sla/index.ts";

const WORDS: Readonly<Record<ComponentState, string>> = {
  up: "Works",
  degraded: "Works badly",
  down: "Does not work",
  maintenance: "Under maintenance",
  unknown: "Not known",
};
const HEADLINES: Readonly<Record<ComponentState, string>> = {
  up: "Everything works.",
  degraded: "A part of the service is in trouble.",
  down: "The service is down.",
  maintenance: "Maintenance goes on.",
  unknown: "Nobody has measured in the last minutes how the service is.",
};
/** Of an incident that impairs no part, or none that it names. */
const HEADLINE_OF_INCIDENT = "All parts work, and something is wrong.";
const MODES = {
  off: undefined,
  "read-only": "Read-only: customers can look at everything and change nothing. Tunnels go on.",
  closed: "The console is closed to customers. Tunnels go on.",
} as const;
const IMPACTS = { degraded: "works badly", down: "does not work", none: "not impaired" } as const;
const IMPACTS_WORST_FIRST = ["down", "degraded"] as const;
const STATES: Readonly<Record<Incident["state"], string>> = {
  investigating: "Investigating",
  identified: "Identified",
  monitoring: "Monitoring",
  resolved: "Resolved",
};

/** Which states differ by colour differ by height too. */
const HEIGHTS: Readonly<Record<ComponentState, number>> = {
  up: 23,
  degraded: 17,
  down: 30,
  maintenance: 11,
  unknown: 5,
};
const [BAR, GAP, HEIGHT] = [8, 2, 30];

/** The page, which works without script. */
export function statusPage(status: ServiceStatus): string {
  const { service, state, mode, components, incidents, maintenance, measured_at } = status;
  const going = incidents.filter((incident) => incident.state !== "resolved");
  const past = incidents.filter((incident) => incident.state === "resolved");
  const measured = measured_at === null ? "" : ` Measured at ${time(measured_at)}.`;
  const isHidden = state === "up" && going.length > 0;
  const [headline, look] = isHidden ? [HEADLINE_OF_INCIDENT, "degraded"] : [HEADLINES[state], state];
  const body = [
    `<p class="lead ${look}"><strong>${headline}</strong>${measured}</p>`,
    MODES[mode] === undefined ? "" : `<p class="note">${MODES[mode]}</p>`,
    section("What is wrong", going.map(incidentHtml)),
    section("Maintenance", maintenance.map(maintenanceHtml)),
    "<h2>The last 90 days</h2>",
    ...components.map(componentHtml),
    LEGEND,
    section("The last two weeks", past.map(incidentHtml)),
    FOOT,
  ].join("\n");
  return htmlPage(`${service}: status`, body, STYLE);
}

function section(title: string, parts: readonly string[]): string {
  return parts.length === 0 ? "" : `<section>\n<h2>${title}</h2>\n${parts.join("\n")}\n</section>`;
}

function componentHtml({ name, state, availability, days }: ServiceStatus["components"][number]): string {
  const bars = days.map(({ day, state: ofDay, availability: share, minutes }, at) => {
    const height = HEIGHTS[ofDay];
    const unknown = minutes.unknown > 0 ? `, ${minutes.unknown} min not known` : "";
    const told = `${day}: ${WORDS[ofDay].toLowerCase()}${share === null ? "" : `, ${percent(share)}`}${unknown}`;
    return `<rect class="${ofDay}" x="${at * (BAR + GAP)}" y="${HEIGHT - height}" width="${BAR}" height="${height}"><title>${told}</title></rect>`;
  });
  const trouble = days
    .filter((day) => day.state === "down" || day.state === "degraded")
    .map(({ day }) => day);
  const share = availability === null ? "not measured" : percent(availability);
  const told = `${name}, 90 days: ${share}. ${trouble.length === 0 ? "No day with trouble." : `Days with trouble: ${trouble.join(", ")}.`}`;
  return `<div class="component">
<h3>${escapeHtml(name)}</h3> <span class="state ${state}">${WORDS[state]}</span> <span class="share">${share}</span>
<svg viewBox="0 0 ${days.length * (BAR + GAP) - GAP} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(told)}">${bars.join("")}</svg>
</div>`;
}

function incidentHtml({ id, title, components, updates }: Incident): string {
  const impacts = components.map(
    ({ component, impact }) => `${escapeHtml(nameOf(component))}: ${IMPACTS[impact]}`,
  );
  const lines = updates.map(
    ({ state, text, posted_at, is_edited }) =>
      `<li><strong>${STATES[state]}</strong> ${time(posted_at)}${is_edited ? " (edited)" : ""}${paragraphs(text)}</li>`,
  );
  const worst = IMPACTS_WORST_FIRST.find((impact) => components.some((each) => each.impact === impact));
  return `<article id="${id}"${worst === undefined ? "" : ` class="${worst}"`}>
<h3>${escapeHtml(title)}</h3>
${impacts.length === 0 ? "" : `<p>${impacts.join("; ")}</p>`}
<ul>${lines.join("\n")}</ul>
</article>`;
}

function maintenanceHtml(window: Maintenance): string {
  const { id, title, text, starts_at, ends_at, components, mode, is_emergency, state } = window;
  const concerned =
    components.length === 0 ? "The whole service" : components.map(nameOf).map(escapeHtml).join(", ");
  return `<article id="${id}">
<h3>${escapeHtml(title)}${state === "active" ? " (goes on)" : ""}</h3>
<p>${time(starts_at)} to ${time(ends_at)}. ${concerned}.${is_emergency ? " <strong>Emergency: announced less than 24 hours ahead.</strong>" : ""}</p>
${paragraphs(text)}${MODES[mode] === undefined ? "" : `<p>${MODES[mode]}</p>`}
</article>`;
}

function paragraphs(text: string): string {
  return text
    .split(/\n+/)
    .filter((line) => line.trim() !== "")
    .map((line) => `<p>${escapeHtml(line)}</p>`)
    .join("");
}

function time(instant: string): string {
  return `<time datetime="${instant}">${instant.slice(0, 16).replace("T", " ")} UTC</time>`;
}

/** Never rounded up to a whole: `99.99 %`. */
function percent(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}

const LEGEND = `<p class="legend">${(Object.keys(WORDS) as ComponentState[])
  .map((state) => `<span class="state ${state}">${WORDS[state]}</span>`)
  .join(" ")}</p>
<p>A minute in which nobody measured is shown as not known, never as one in which all was well. Percentages are of the
minutes that were measured, without maintenance that was announced 24 hours ahead.</p>`;

const FOOT = `<p><a href="/status/feed.atom">Atom feed</a> · <a href="/api/status">as JSON</a> · <a href="/">Console</a></p>
<script src="/status/times.js" defer></script>
`;

const STYLE = `
:root{--up:#1a7f37;--degraded:#9a6700;--down:#cf222e;--maintenance:#0969da;--unknown:#6e7781}
@media(prefers-color-scheme:dark){:root{--up:#3fb950;--degraded:#d29922;--down:#ff7b72;--maintenance:#58a6ff;--unknown:#9198a1}}
h2{margin-top:2.2rem}h3{display:inline-block;margin:0 .6rem 0 0;font-size:1.05rem;overflow-wrap:anywhere}
.lead,.note,article{border-left:4px solid var(--unknown);padding:.5rem 1rem;margin:1rem 0}
.lead.up{border-color:var(--up)}.lead.degraded{border-color:var(--degraded)}.lead.down{border-color:var(--down)}
.lead.maintenance,.note{border-color:var(--maintenance)}
.component{margin:1.2rem 0}.share{float:right}
svg{display:block;width:100%;height:30px;margin-top:.4rem}
rect.up{fill:var(--up)}rect.degraded{fill:var(--degraded)}rect.down{fill:var(--down)}
rect.maintenance{fill:var(--maintenance)}rect.unknown{fill:var(--unknown)}
.state.up{color:var(--up)}.state.degraded{color:var(--degraded)}.state.down{color:var(--down)}
.state.maintenance{color:var(--maintenance)}.state.unknown{color:var(--unknown)}
article.degraded{border-color:var(--degraded)}article.down{border-color:var(--down)}
.legend .state{display:inline-block;margin-right:1rem}.legend .state::before{content:"■ "}
article ul{padding-left:1.1rem}
`;

/** For readers with script: each time in their own zone, too. */
export const TIMES_SCRIPT = `for (const time of document.querySelectorAll("time[datetime]")) {
  const instant = new Date(time.dateTime);
  time.title = time.textContent;
  time.textContent = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(instant)
    + " (" + time.title + ")";
}
`;
