import { createHash } from "node:crypto";
import { createManualClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, openTestApp, type TestApp } from "../../testing.ts";
import { statusPage } from "./page.ts";
import { stateOfDay, stateOfService } from "./state.ts";

const service: TestApp = await openTestApp({ clock: createManualClock(Date.parse("2026-11-20T10:00:00Z")) });
afterAll(() => service.close());
beforeAll(async () => {
  service.app.startMeasuring();
  await service.app.operations.measuring.measure();
});

const desk = async () => (await service.person("support")).client.statusDesk;
const shown = () => service.client().status.show();
const kinds = async () => {
  const { items } = await (await service.admin()).client.audit.list();
  return items.map(({ body }) => body?.kind);
};

describe("an incident", () => {
  test("is posted, updated and resolved, and everybody sees each step; the trail has who did it", async () => {
    const staff = await desk();
    const opened = await staff.openIncident({
      body: {
        title: "Log-ins fail",
        text: "We look into it.",
        components: [{ component: "api", impact: "down" }],
      },
    });
    expect(opened).toMatchObject({ state: "investigating", resolved_at: null });
    expect((await shown()).components[0]).toMatchObject({ component: "api", state: "down" });
    expect((await shown()).state).toBe("down");
    const params = { id: opened.id };
    service.clock.advanceSeconds(60);
    await staff.updateIncident({ params, body: { state: "identified", text: "A disk is full." } });
    service.clock.advanceSeconds(60);
    const resolved = await staff.updateIncident({ params, body: { state: "resolved", text: "It works." } });
    expect(resolved).toMatchObject({ state: "resolved", resolved_at: "2026-11-20T10:02:00.000Z" });
    expect(resolved.updates.map(({ state }) => state)).toEqual(["resolved", "identified", "investigating"]);
    expect((await shown()).components[0]?.state).not.toBe("down");
    expect(await codeOf(staff.updateIncident({ params, body: { state: "monitoring", text: "Again" } }))).toBe(
      "status.already_resolved",
    );
    await eventually(async () =>
      expect(await kinds()).toEqual(expect.arrayContaining(["incident_opened", "incident_updated"])),
    );
  });

  test("concerns several parts, keeps one that is gone meanwhile, and gets no other that there is not", async () => {
    const staff = await desk();
    const { id } = await staff.openIncident({ body: { title: "Line", text: "A line is cut." } });
    const gone = { component: "tunnels/Atlantis", impact: "down" } as const;
    const components = [gone, { component: "mail", impact: "degraded" } as const];
    const change = () => staff.changeIncident({ params: { id }, body: { components } });
    expect(await codeOf(change())).toBe("status.no_such_component");
    await service.database.pool.query("update incidents set components = $1 where id = $2", [
      JSON.stringify([gone]),
      id,
    ]);
    expect((await change()).components).toEqual(components);
    const { components: parts } = await shown();
    expect(parts.find(({ component }) => component === "mail")?.state).toBe("degraded");
    await staff.removeIncident({ params: { id } });
  });

  test("is edited with a note that it was, goes back when its last update is removed, and can be taken off", async () => {
    const staff = await desk();
    const { id } = await staff.openIncident({ body: { title: "Slow", text: "It is slow." } });
    const params = { id };
    service.clock.advanceSeconds(1);
    const resolved = await staff.updateIncident({ params, body: { state: "resolved", text: "Over." } });
    const [last, first] = resolved.updates;
    const edited = await staff.changeUpdate({
      params: { id: first?.id ?? "" },
      body: { text: "It was slow." },
    });
    expect(edited.updates[1]).toMatchObject({ text: "It was slow.", is_edited: true });
    const reopened = await staff.removeUpdate({ params: { id: last?.id ?? "" } });
    expect(reopened).toMatchObject({ state: "investigating", resolved_at: null });
    expect(await codeOf(staff.removeUpdate({ params: { id: first?.id ?? "" } }))).toBe("status.only_update");
    await staff.changeIncident({ params, body: { title: "Slow log-ins" } });
    expect((await shown()).incidents[0]?.title).toBe("Slow log-ins");
    await staff.removeIncident({ params });
    expect((await shown()).incidents.map((one) => one.id)).not.toContain(id);
    for (const call of [
      () => staff.removeIncident({ params }),
      () => staff.changeIncident({ params, body: { title: "Gone" } }),
      () => staff.updateIncident({ params, body: { state: "resolved", text: "Gone" } }),
    ])
      expect(await codeOf(call())).toBe("status.incident_not_found");
    for (const call of [
      () => staff.removeUpdate({ params: { id: last?.id ?? "" } }),
      () => staff.changeUpdate({ params: { id: last?.id ?? "" }, body: { text: "Gone" } }),
    ])
      expect(await codeOf(call())).toBe("status.update_not_found");
    await eventually(async () =>
      expect(await kinds()).toEqual(expect.arrayContaining(["incident_edited", "incident_removed"])),
    );
  });

  test("an update whose incident is removed meanwhile is gone, however the two meet", async () => {
    const staff = await desk();
    for (let time = 0; time < 5; time++) {
      const opened = await staff.openIncident({ body: { title: "Short", text: "Now." } });
      const params = { id: opened.updates[0]?.id ?? "" };
      const edits = [1, 2, 3].map((n) =>
        codeOf(staff.changeUpdate({ params, body: { text: `Then ${n}.` } })),
      );
      const removal = staff.removeIncident({ params: { id: opened.id } });
      await removal;
      expect(["ok", "status.update_not_found"]).toEqual(expect.arrayContaining(await Promise.all(edits)));
    }
  });

  test("names parts of the service that there are", async () => {
    const components = [{ component: "teapot", impact: "down" as const }];
    const staff = await desk();
    expect(await codeOf(staff.openIncident({ body: { title: "Tea", text: "None.", components } }))).toBe(
      "status.no_such_component",
    );
  });

  test("lists go on by pages, the newest first", async () => {
    const staff = await desk();
    for (const title of ["One", "Two", "Three"]) {
      service.clock.advanceSeconds(1);
      await staff.openIncident({ body: { title, text: "…", state: "resolved" } });
    }
    const first = await staff.incidents({ query: { limit: 2 } });
    expect(first.items.map(({ title }) => title)).toEqual(["Three", "Two"]);
    const second = await staff.incidents({ query: { limit: 1, cursor: first.next_cursor ?? "" } });
    expect(second.items.map(({ title }) => title)).toEqual(["One"]);
  });
});

describe("the page", () => {
  test("needs no script, lets nothing in line through but its own style, and shows what was posted as text", async () => {
    const staff = await desk();
    await staff.openIncident({
      body: { title: "<b>Bold</b>", text: "First line.\n<script>alert(1)</script>", state: "monitoring" },
    });
    const page = await service.send("/status");
    expect(page.text).toContain("&lt;b&gt;Bold&lt;/b&gt;");
    expect(page.text).toContain("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
    expect(page.text).not.toMatch(/<script>|style="|onload=/);
    const style = /<style>(.*?)<\/style>/s.exec(page.text)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(page.headers.get("content-security-policy")).toContain(`style-src 'sha256-${hash}'`);
    expect((await service.send("/status/times.js")).headers.get("content-type")).toContain("text/javascript");
  });

  test("does not say that everything works above an incident that goes on", async () => {
    const status = { ...(await shown()), state: "up" as const };
    const [incident] = status.incidents.filter(({ state }) => state !== "resolved");
    expect(statusPage({ ...status, incidents: [] })).toContain("Everything works.");
    expect(statusPage({ ...status, incidents: incident ? [incident] : [] })).toContain(
      "All parts work, and something is wrong.",
    );
  });

  test("draws 90 days for each part, with those in which nobody measured as not known", async () => {
    const { components } = await shown();
    expect(components.map(({ name }) => name)).toEqual(["API and console", "Sign-up", "Mail"]);
    for (const { days } of components) {
      expect(days).toHaveLength(90);
      expect(days[0]).toMatchObject({ state: "unknown", availability: null });
    }
    const page = (await service.send("/status")).text;
    expect(page.match(/<svg /g)).toHaveLength(3);
    expect(page.match(/<rect class="unknown"/g)?.length).toBeGreaterThanOrEqual(3 * 89);
    expect(page.match(/role="img" aria-label="/g)).toHaveLength(3);
  });

  test("has a feed that is well-formed and names each entry once", async () => {
    const feed = await service.send("/status/feed.atom");
    expect(feed.headers.get("content-type")).toContain("application/atom+xml");
    const ids = [...feed.text.matchAll(/<entry>\n<id>([^<]+)<\/id>/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(2);
    expect(feed.text).toContain("&lt;b&gt;Bold&lt;/b&gt;: monitoring");
    const opened = [...feed.text.matchAll(/<(\w+)[ >]/g)].length;
    const closed = [...feed.text.matchAll(/<\/\w+>|\/>/g)].length;
    expect(opened).toBe(closed);
  });

  test("is there while the store is away, and says that the API is down", async () => {
    await shown();
    await service.database.pool.query("alter table incidents rename to incidents_hidden");
    service.app.operations.status.changed();
    try {
      const status = await shown();
      expect(status.components.map(({ state }) => state)).toEqual(["down", "unknown", "unknown"]);
      expect((await service.send("/status")).text).toContain("The service is down.");
    } finally {
      await service.database.pool.query("alter table incidents_hidden rename to incidents");
      service.app.operations.status.changed();
    }
    expect((await shown()).components[0]?.state).not.toBe("down");
  });

  test("does not call a service well that nobody has measured for minutes", async () => {
    service.clock.advanceSeconds(600);
    service.app.operations.status.changed();
    expect((await shown()).components.map(({ state }) => state)).toEqual(["unknown", "unknown", "unknown"]);
  });
});

test("a day is never well of which an hour is unknown, and one region does not take the service down", () => {
  const none = { up: 0, degraded: 0, down: 0, maintenance: 0, unknown: 0 };
  expect(stateOfDay({ ...none, up: 1380, unknown: 60 })).toBe("unknown");
  expect(stateOfDay({ ...none, up: 1430, down: 10 })).toBe("down");
  expect(stateOfDay({ ...none, up: 1000, maintenance: 440 })).toBe("up");
  expect(stateOfDay(none)).toBe("unknown");
  const part = (component: string, state: "up" | "down") => ({ component, state });
  expect(stateOfService([part("api", "up"), part("tunnels/Oslo", "down")])).toBe("degraded");
  expect(stateOfService([part("api", "down"), part("tunnels/Oslo", "up")])).toBe("down");
  expect(stateOfService([])).toBe("unknown");
});
