import type { Node } from "@securewave/contracts";
import { fakeHealth, fakeHour } from "@securewave/contracts/testing/fake-nodes";
import { browserRequirements } from "@securewave/testing/browser";
import { beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("pages about the fleet"), () => {
  const people = useTwoPeople();
  let frankfurt: Node;
  let ashburn: Node;

  const rows = () => people.admin.getByRole("table", { name: "Nodes" }).getByRole("rowheader");
  const dots = () => people.admin.locator("[data-cluster]");
  const names = async () => (await rows().getByRole("link").allInnerTexts()).join(" ");

  beforeAll(() => {
    const { addNode, fleet } = people.mock.state;
    frankfurt = addNode("EU-1", "Frankfurt", { devices: 2, latitude: 50.1, longitude: 8.7 });
    addNode("EU-2", "Frankfurt", { devices: 9000, latitude: 50.1, longitude: 8.7, connected: "1000–2499" });
    ashburn = addNode("US-1", "Ashburn", {
      state: "offline",
      latitude: 39,
      longitude: -77.5,
      health: null,
      problem: "It is away since a while.",
    });
    addNode("AP-1", "Tokyo", {
      state: "degraded",
      latitude: 35.7,
      longitude: 139.7,
      problem: "It does not answer handshakes: is its UDP port open?",
      health: fakeHealth({ handshake_ms: null, echo_ms: null, probes_lost: 1 }),
    });
    addNode("SA-1", "Santiago", { latitude: null, longitude: null, agent_is_current: false });
    fleet.samples.set(frankfurt.id, fakeHour(0.6, { connected: "50–99", throughput: "30–100 Mbit/s" }));
  });

  test("table and map are the same truth: what is counted, listed and drawn", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/nodes`);
    await admin.getByText("It does not answer handshakes").waitFor();
    expect(await names()).toBe("AP-1 EU-1 EU-2 SA-1 US-1");
    await dots().first().waitFor();
    const drawn = await dots().evaluateAll((all) => all.map((dot) => dot.getAttribute("aria-label")));
    expect(drawn.toSorted()).toEqual([
      "2 nodes, Frankfurt: 2 healthy",
      "AP-1, Tokyo: Degraded, 0 % full",
      "US-1, Ashburn: Offline, 0 % full",
    ]);
    await admin.getByText("1 node without coordinates is in the table only.").waitFor();
    expect(await admin.getByRole("group", { name: "States" }).innerText()).toMatch(
      /3\s+Healthy\s+0\s+Draining\s+1\s+Degraded\s+1\s+Offline/,
    );
    await admin.getByText("update due").waitFor();
    await expectAccessible(admin);
  });

  test("a state, a region, a search and an order narrow and turn the table, and stand in the address", async () => {
    const { mock, admin } = people;
    await admin
      .getByRole("button", { name: /Offline/ })
      .first()
      .click();
    await expect.poll(names).toBe("US-1");
    expect(await dots().count()).toBe(1);
    await admin.reload();
    await expect.poll(names).toBe("US-1");
    await admin.getByRole("button", { name: /Offline/, pressed: true }).click();
    await admin.getByLabel("Region").selectOption("Frankfurt");
    await expect.poll(names).toBe("EU-1 EU-2");
    await admin.getByRole("columnheader", { name: "Devices" }).getByRole("button").click();
    await admin.getByRole("columnheader", { name: "Devices" }).getByRole("button").click();
    await expect.poll(names).toBe("EU-2 EU-1");
    expect(await admin.getByRole("columnheader", { name: "Devices" }).getAttribute("aria-sort")).toBe(
      "descending",
    );
    await admin.goto(`${mock.url}/admin/nodes`);
    await admin.getByRole("searchbox", { name: "Search nodes" }).fill("nowhere");
    await admin.getByRole("heading", { name: "No such node" }).waitFor();
    await admin.getByRole("button", { name: "Show all" }).click();
    await expect.poll(() => rows().count()).toBe(5);
  });

  test("with the keyboard alone one goes over the map from dot to dot and opens a node", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/nodes`);
    await dots().first().waitFor();
    expect(await dots().and(admin.locator('[tabindex="0"]')).count()).toBe(1);
    const focused = () => admin.evaluate("document.activeElement?.getAttribute('aria-label')");
    await admin.getByRole("button", { name: /^2 nodes/ }).focus();
    await admin.keyboard.press("ArrowLeft");
    expect(await focused()).toMatch(/^US-1/);
    await admin.keyboard.press("ArrowRight");
    await admin.keyboard.press("Enter");
    await admin.getByRole("heading", { name: "2 nodes, Frankfurt" }).waitFor();
    await expectAccessible(admin);
    await admin.keyboard.press("ArrowRight");
    expect(await focused()).toMatch(/^AP-1/);
    await admin.keyboard.press("Enter");
    await admin.getByRole("heading", { level: 1, name: "AP-1" }).waitFor();
  });

  test("a node's page has the last hour as graphs and, for who sees none, as a table", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/nodes/${frankfurt.id}`);
    await admin.getByRole("img", { name: "Processor in the last hour, at this moment 60 %" }).waitFor();
    await admin.getByRole("img", { name: /^Throughput .* 30–100 Mbit\/s$/ }).waitFor();
    await expectAccessible(admin);
    await admin.getByText("The same as a table").click();
    const table = admin.getByRole("region", { name: "The last hour as a table" });
    await table.waitFor();
    expect(await table.getByRole("row").count()).toBe(121);
    expect(await table.getByRole("row").nth(1).innerText()).toMatch(
      /just now\s+60 %\s+34 %\s+30–100 Mbit\/s\s+50–99/,
    );
  });

  test("new samples come by themselves, and a node that was not heard says so", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/nodes/${ashburn.id}`);
    await admin.getByText("Nothing heard yet").waitFor();
    mock.state.fleet.samples.set(ashburn.id, fakeHour(0.9).slice(-12));
    await admin.getByRole("img", { name: "Processor in the last hour, at this moment 90 %" }).waitFor();
    await admin.getByText("Not shown while fewer than ten devices are connected.").waitFor();
    await admin.getByText("The same as a table").click();
    await admin.getByRole("row").nth(12).waitFor();
    await expectAccessible(admin);
  });

  test("draining says what happens, can be followed, and can be ended", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/nodes/${frankfurt.id}`);
    await admin.getByRole("button", { name: "Drain…" }).click();
    const dialog = admin.getByRole("dialog");
    await dialog.getByText("Their former configs work here for seven days more").waitFor();
    await dialog.getByText("Its 2 devices are moved").waitFor();
    await expectAccessible(admin);
    await dialog.getByRole("button", { name: "Drain" }).click();
    await admin.getByText("2 devices left to move").waitFor();
    mock.state.fleet.drainPace = 2;
    await admin.getByText("All devices have moved.").waitFor();
    await admin.getByRole("button", { name: "Take devices again" }).click();
    await admin.getByText("EU-1 takes devices again.").first().waitFor();
    expect(frankfurt).toMatchObject({ state: "healthy", draining: false });
  });

  test("a node that drains stays so while it is away, and draining can be ended then", async () => {
    const { mock, admin } = people;
    Object.assign(ashburn, { draining: true });
    await admin.goto(`${mock.url}/admin/nodes/${ashburn.id}`);
    await admin.getByText("Draining", { exact: true }).waitFor();
    await admin.getByRole("button", { name: "Take devices again" }).click();
    await admin.getByRole("button", { name: "Drain…" }).waitFor();
    expect(ashburn).toMatchObject({ state: "offline", draining: false });
  });

  test("a node is removed by its typed name; while former configs work, only with that said", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/nodes/${frankfurt.id}`);
    await admin.getByText("Better wait for that day").waitFor();
    await admin.getByRole("button", { name: "Remove now…" }).click();
    const dialog = admin.getByRole("dialog");
    await dialog.getByText("lose their connection at once").waitFor();
    await dialog.getByLabel("Type EU-1 to confirm").fill("EU-2");
    await dialog.getByRole("button", { name: "Remove now" }).click();
    await dialog.getByText("Type EU-1, as it stands here.").waitFor();
    expect(frankfurt.removed_on).toBeNull();
    await dialog.getByLabel("Type EU-1 to confirm").fill("EU-1");
    await dialog.getByRole("button", { name: "Remove now" }).click();
    await admin.getByText("EU-1 is removed.").first().waitFor();
    expect(frankfurt.removed_on).not.toBeNull();
    await admin.getByLabel("Removed ones").check();
    await admin.getByRole("list", { name: "Removed nodes" }).getByRole("link", { name: "EU-1" }).click();
    await admin.getByText("It was removed on").waitFor();
    expect(await admin.getByRole("button", { name: /Drain|Remove|Fresh/ }).count()).toBe(0);
    await expectAccessible(admin);
  });

  test("what became true meanwhile is told in the dialog, which then offers to remove it now", async () => {
    const { mock, admin } = people;
    // Its own tab: the browser complains of the refusal.
    const tab = await admin.context().newPage();
    const node = mock.state.addNode("EU-9", "Frankfurt");
    await tab.goto(`${mock.url}/admin/nodes/${node.id}`);
    await tab.getByRole("button", { name: "Remove node…" }).click();
    // The page looks again every few seconds: what it will see is what the refusal says before.
    const { "nodes.show": show } = mock.state.handlers;
    Object.assign(mock.state.handlers, { "nodes.show": () => ({ ...node, former_places_until: null }) });
    Object.assign(node, { former_places_until: "2026-11-27" });
    const dialog = tab.getByRole("dialog");
    await dialog.getByLabel("Type EU-9 to confirm").fill("EU-9");
    await dialog.getByRole("button", { name: "Remove", exact: true }).click();
    await dialog.getByRole("alert").getByText("can still use this node").waitFor();
    await dialog.getByRole("button", { name: "Remove now" }).click();
    await tab.getByText("EU-9 is removed.").first().waitFor();
    Object.assign(mock.state.handlers, { "nodes.show": show });
    await tab.close();
  });

  test("a new node is put on the map by a click, takes a region that there is, and is waited for", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/nodes/new`);
    await admin.locator("input[name=name]").fill("EU-3");
    expect(await admin.locator("datalist option").evaluateAll((all) => all.length)).toBeGreaterThan(2);
    await admin.locator("input[name=region]").fill("Frankfurt");
    await admin.locator("input[name=tags]").fill("streaming, ipv6, streaming");
    const map = await admin.locator("svg[data-map]").boundingBox();
    if (!map) throw new Error("there is no map");
    await admin.mouse.click(map.x + map.width / 2, map.y + map.height / 2);
    expect(Math.abs(Number(await admin.locator("input[name=longitude]").inputValue()))).toBeLessThan(1);
    await expectAccessible(admin);
    await admin.getByRole("button", { name: "Register node" }).click();
    await admin.getByText("Waiting for the node to join").waitFor();
    await admin.getByText("Check the script before it runs").click();
    await admin.getByText(/^[0-9a-f]{64}$/).waitFor();
    await expectAccessible(admin);
    const made = mock.state.fleet.nodes.find(({ name }) => name === "EU-3");
    expect(made).toMatchObject({
      region: "Frankfurt",
      tags: ["streaming", "ipv6"],
      latitude: expect.any(Number),
    });
  });

  test("the overview has the fleet at a glance", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin`);
    await admin.getByText("It is away since a while.").waitFor();
    await expectAccessible(admin);
    await admin.getByRole("link", { name: /1 offline/ }).click();
    await expect.poll(names).toBe("US-1");
  });

  test("a plan's speed and the tags of its servers are typed as people write them", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/plans`);
    await admin.getByRole("button", { name: "Add plan" }).first().click();
    await admin.getByLabel("Name").fill("Fast");
    await admin.getByLabel("Speed, in Mbit/s", { exact: true }).fill("2500");
    await admin.getByLabel("Tags of servers").fill("Streaming!");
    await admin.getByRole("dialog").getByRole("button", { name: "Add plan" }).click();
    await admin.getByText("Small letters, digits and hyphens, with commas between.").waitFor();
    await admin.getByLabel("Tags of servers").fill("streaming");
    await expectAccessible(admin);
    await admin.getByRole("dialog").getByRole("button", { name: "Add plan" }).click();
    await admin.getByText("2.5 Gbit/s").waitFor();
    const made = mock.state.plans.plans.find(({ name }) => name === "Fast");
    expect(made).toMatchObject({ speed_kbit_per_second: 2_500_000, server_tags: ["streaming"] });
  });

  test("nothing complained, and on a phone no page is wider than its window", async () => {
    const { admin } = people;
    await people.expectQuietAndNarrow(
      ["/admin", "/admin/nodes", `/admin/nodes/${ashburn.id}`, "/admin/nodes/new", "/admin/plans"].map(
        (path) => [admin, path] as const,
      ),
    );
  });
});
