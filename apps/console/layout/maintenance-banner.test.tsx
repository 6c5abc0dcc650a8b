import type { api, MaintenanceMode, ResultOf } from "@securewave/contracts";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { session } from "../api.ts";
import { formatMoment } from "../format.ts";
import { serviceQuery } from "../queries.ts";
import { MaintenanceBanner } from "./maintenance-banner.tsx";

type ServiceInfo = ResultOf<typeof api.service.info>;

const STARTS_AT = "2026-11-24T02:00:00.000Z";
const ENDS_AT = "2026-11-24T04:00:00.000Z";
const INFO: ServiceInfo = {
  name: "SecureWave",
  registration: "open",
  setup_needed: false,
  policy_version: "1",
  policy_url: "/privacy",
};

/** @returns the banner's markup, and what is read of it */
function shown(mode?: MaintenanceMode, facts: Partial<NonNullable<ServiceInfo["maintenance"]>> = {}) {
  const client = new QueryClient();
  const maintenance = mode && { mode, title: null, starts_at: null, ends_at: null, ...facts };
  client.setQueryData(serviceQuery.queryKey, { ...INFO, ...(maintenance && { maintenance }) });
  const markup = renderToStaticMarkup(
    <QueryClientProvider client={client}>
      <MaintenanceBanner />
    </QueryClientProvider>,
  );
  const text = markup.replace(/<svg.*?<\/svg>|<[^>]+>/g, "").replace(/\s+/g, " ");
  return { markup, text };
}

test("nothing stands on top while there is no maintenance", () => {
  expect(shown().markup).toBe("");
});

test("maintenance that is to come is told by its title and times, and that tunnels go on", () => {
  const { text, markup } = shown("off", { title: "New disks", starts_at: STARTS_AT, ends_at: ENDS_AT });
  expect(text).toBe(
    `Maintenance: New disks. From ${formatMoment(STARTS_AT)} until ${formatMoment(ENDS_AT)}. Connected tunnels go on. Status page`,
  );
  expect(markup).toContain(`<time dateTime="${STARTS_AT}">`);
  expect(markup).toContain('role="status"');
  expect(markup).toContain('href="/status"');
});

test.each([
  ["read-only", "you can look at everything, and change nothing."],
  ["closed", "Please come back later."],
] as const)(
  "while it is %s, it says what that means, and until when where that is known",
  (mode, meaning) => {
    const bounded = shown(mode, { title: "New disks", starts_at: STARTS_AT, ends_at: ENDS_AT }).text;
    expect(bounded).toContain(`${meaning} Until ${formatMoment(ENDS_AT)}. Connected tunnels go on.`);
    expect(bounded).not.toContain("From");
    expect(shown(mode).text).toContain(`${meaning} Connected tunnels go on.`);
  },
);

test("staff are told what customers may do, and not that they themselves may do nothing", () => {
  const account = {
    id: "acc_00000000000000000001",
    email: "ada@example.org",
    role: "support",
    state: "active",
    created_on: "2026-11-01",
  } as const;
  session.adopt({ csrf_token: "token", account });
  expect(shown("read-only").text).toContain("Customers can look at everything, and change nothing.");
  expect(shown("closed").text).toContain("The service is closed to customers.");
  session.end("here");
});

test("each of its sentences ends, also where no end is known", () => {
  const { text } = shown("off", { title: "New disks", starts_at: STARTS_AT });
  expect(text).toContain(`From ${formatMoment(STARTS_AT)}. Connected tunnels go on.`);
});

test("a title is text, whatever is in it", () => {
  const { markup } = shown("off", { title: "<img src=x>", starts_at: STARTS_AT, ends_at: ENDS_AT });
  expect(markup).toContain("&lt;img src=x&gt;");
});
