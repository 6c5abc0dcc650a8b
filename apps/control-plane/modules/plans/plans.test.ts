import { api, type Client, listRoutes } from "@securewave/contracts";
import { createId } from "@securewave/foundation";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, connectNode, openTestApp, type Person } from "../../testing.ts";
import { openPlans } from "./index.ts";

const service = await openTestApp();
afterAll(() => service.close());
let admin: Person;
let plans: Client["plans"];
let standardId: string;

beforeAll(async () => {
  admin = await service.admin();
  plans = admin.client.plans;
  standardId = (await plans.list()).items[0]?.id ?? "";
});

let count = 0;
const newName = () => `Plan ${++count}`;

async function lastActs(size: number) {
  await service.app.audit.sequence();
  const { items } = await admin.client.audit.list({ query: { limit: size } });
  return items.map(({ body }) => [body?.kind, body?.subject, body?.details]);
}

describe("the catalogue", () => {
  test("begins with one plan, without limits, which everybody gets", async () => {
    const { items } = await plans.list();
    expect(items).toEqual([
      {
        id: standardId,
        name: "Standard",
        quota_bytes: null,
        on_quota: "throttle",
        throttle_kbit_per_second: 1000,
        speed_kbit_per_second: null,
        connections_max: null,
        devices_max: null,
        server_tags: [],
        is_default: true,
        is_retired: false,
        is_used: true,
      },
    ]);
    const customer = await service.person();
    expect((await plans.ofAccount({ params: { id: customer.id } })).id).toBe(standardId);
  });

  test("a plan is added, shown, changed and removed, and each stands in the audit trail", async () => {
    const name = newName();
    const limits = { quota_bytes: 2 ** 40, speed_kbit_per_second: 50_000 };
    const plan = await plans.create({ body: { name, ...limits, on_quota: "block", server_tags: ["fast"] } });
    expect(plan).toMatchObject({ name, ...limits, on_quota: "block", server_tags: ["fast"], is_used: false });
    expect(await plans.show({ params: { id: plan.id } })).toEqual(plan);
    const changed = await plans.change({
      params: { id: plan.id },
      body: { quota_bytes: null, connections_max: 3 },
    });
    expect(changed).toEqual({ ...plan, quota_bytes: null, connections_max: 3 });
    await plans.remove({ params: { id: plan.id } });
    expect(await codeOf(plans.show({ params: { id: plan.id } }))).toBe("plans.not_found");
    expect(await lastActs(3)).toEqual([
      ["plan_removed", plan.id, {}],
      ["plan_changed", plan.id, { names: ["quota_bytes", "connections_max"] }],
      ["plan_created", plan.id, {}],
    ]);
  });

  test("is listed by name, page by page, and searched", async () => {
    const names = ["Zebra A", "Zebra B", "Zebra C"];
    for (const name of names) await plans.create({ body: { name } });
    const first = await plans.list({ query: { search: "zebra", limit: 2 } });
    expect(first.items.map(({ name }) => name)).toEqual(names.slice(0, 2));
    const query = { search: "zebra", limit: 2, cursor: first.next_cursor ?? "" };
    const second = await plans.list({ query });
    expect(second.items.map(({ name }) => name)).toEqual(names.slice(2));
    expect(second.next_cursor).toBeNull();
  });

  test("a name is used once", async () => {
    const name = newName();
    await plans.create({ body: { name } });
    const other = await plans.create({ body: { name: newName() } });
    expect(await codeOf(plans.create({ body: { name } }))).toBe("plans.name_in_use");
    expect(await codeOf(plans.change({ params: { id: other.id }, body: { name } }))).toBe(
      "plans.name_in_use",
    );
  });

  test("what is not there cannot be changed, removed or given", async () => {
    const id = createId("plan");
    const customer = await service.person();
    const { change, remove, assign } = plans;
    expect(await codeOf(change({ params: { id }, body: { name: newName() } }))).toBe("plans.not_found");
    expect(await codeOf(remove({ params: { id } }))).toBe("plans.not_found");
    const giving = assign({ params: { id: customer.id }, body: { plan_id: id } });
    expect(await codeOf(giving)).toBe("plans.not_found");
    const nobody = { id: createId("account") };
    expect(await codeOf(plans.ofAccount({ params: nobody }))).toBe("accounts.not_found");
    expect(await codeOf(plans.assign({ params: nobody, body: { plan_id: standardId } }))).toBe(
      "accounts.not_found",
    );
  });

  test.each([
    { quota_bytes: 0 },
    { quota_bytes: 2 ** 51 },
    { quota_bytes: 1.5e9 + 0.5 },
    { on_quota: "cut" },
    { throttle_kbit_per_second: 0 },
    { connections_max: 0 },
    { speed_kbit_per_second: 63 },
    { server_tags: ["Fast"] },
    { server_tags: ["fast", "fast"] },
    { devices_max: -1 },
    { is_default: "yes" },
    {},
  ])("%j is refused", async (body) => {
    const answer = await service.send(`/api/admin/plans/${standardId}`, {
      method: "PATCH",
      token: admin.token,
      body,
    });
    expect(answer).toMatchObject({ status: 400, json: { code: "request.invalid" } });
  });

  test("support reads plans and changes none; customers see none but their own", async () => {
    const support = await service.person("support");
    expect((await support.client.plans.list()).items.length).toBeGreaterThan(0);
    expect(await codeOf(support.client.plans.create({ body: { name: newName() } }))).toBe(
      "request.not_allowed",
    );
    const customer = await service.person();
    for (const { name, route } of listRoutes(api.plans)) {
      if (name === "own") continue;
      const path = route.path.replace("{id}", route.path.includes("accounts") ? customer.id : standardId);
      const body = route.body ? { plan_id: standardId, name: "x" } : undefined;
      const answer = await service.send(path, {
        method: route.method,
        token: customer.token,
        ...(body && { body }),
      });
      expect([name, answer.status]).toEqual([name, 403]);
    }
  });
});

describe("the default", () => {
  test("is one plan at a time; who registers gets it, and who has one keeps it", async () => {
    const before = await service.person();
    const plan = await plans.create({ body: { name: newName(), devices_max: 7 } });
    await plans.change({ params: { id: plan.id }, body: { is_default: true } });
    const after = await service.person();
    const owned = await Promise.all([before, after].map(({ id }) => plans.ofAccount({ params: { id } })));
    expect(owned.map(({ id }) => id)).toEqual([standardId, plan.id]);
    expect((await before.client.plans.own()).name).toBe("Standard");
    expect((await after.client.plans.own()).devices_max).toBe(7);
    const { items } = await plans.list({ query: { limit: 100 } });
    expect(items.filter(({ is_default }) => is_default).map(({ id }) => id)).toEqual([plan.id]);
    await plans.change({ params: { id: standardId }, body: { is_default: true } });
    expect((await after.client.plans.own()).devices_max).toBe(7);
  });

  test("cannot be removed, retired or taken back: another one takes its place", async () => {
    const params = { id: standardId };
    expect(await codeOf(plans.remove({ params }))).toBe("plans.is_default");
    expect(await codeOf(plans.change({ params, body: { is_retired: true } }))).toBe("plans.is_default");
    expect(await codeOf(plans.change({ params, body: { is_default: false } }))).toBe("plans.is_default");
  });

  test("of admins who make different plans the default together, each succeeds and one plan is it", async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => plans.create({ body: { name: newName() } })));
    await Promise.all(made.map(({ id }) => plans.change({ params: { id }, body: { is_default: true } })));
    const { items } = await plans.list({ query: { limit: 100 } });
    expect(items.filter(({ is_default }) => is_default)).toHaveLength(1);
    await plans.change({ params: { id: standardId }, body: { is_default: true } });
  });
});

describe("an account's plan", () => {
  test("changes at once, and stands in the audit trail without a name", async () => {
    const customer = await service.person();
    const plan = await plans.create({ body: { name: newName(), connections_max: 2 } });
    await plans.assign({ params: { id: customer.id }, body: { plan_id: plan.id } });
    expect(await customer.client.plans.own()).toEqual({
      name: plan.name,
      quota_bytes: null,
      on_quota: "throttle",
      throttle_kbit_per_second: 1000,
      speed_kbit_per_second: null,
      connections_max: 2,
      devices_max: null,
      server_tags: [],
    });
    expect(await lastActs(1)).toEqual([["account_plan_changed", customer.id, { plan_id: plan.id }]]);
    await plans.change({ params: { id: plan.id }, body: { connections_max: 5 } });
    expect((await customer.client.plans.own()).connections_max).toBe(5);
  });

  test("in use it cannot vanish; retired, it stays with who has it and is given to nobody", async () => {
    const [owner, other] = [await service.person(), await service.person()];
    const plan = await plans.create({ body: { name: newName() } });
    const params = { id: plan.id };
    const body = { plan_id: plan.id };
    await plans.assign({ params: { id: owner.id }, body });
    expect(await codeOf(plans.remove({ params }))).toBe("plans.in_use");
    await plans.change({ params, body: { is_retired: true } });
    expect((await owner.client.plans.own()).name).toBe(plan.name);
    expect(await codeOf(plans.assign({ params: { id: other.id }, body }))).toBe("plans.retired");
    await plans.assign({ params: { id: owner.id }, body });
    expect(await codeOf(plans.change({ params, body: { is_default: true } }))).toBe("plans.retired");
    await plans.assign({ params: { id: owner.id }, body: { plan_id: standardId } });
    await plans.remove({ params });
  });

  test("says how many devices one may have; where it says nothing, the settings do", async () => {
    await connectNode(service);
    const customer = await service.person();
    const plan = await plans.create({ body: { name: newName(), devices_max: 1 } });
    await plans.assign({ params: { id: customer.id }, body: { plan_id: plan.id } });
    const add = () =>
      customer.client.devices.create({
        body: { name: newName(), public_key: generateKeyPair().publicKey },
      });
    await add();
    expect(await codeOf(add())).toBe("devices.limit_reached");
    await plans.change({ params: { id: plan.id }, body: { devices_max: 7 } });
    for (let added = 1; added < 7; added++) await add();
    expect(await codeOf(add())).toBe("devices.limit_reached");
    await plans.change({ params: { id: plan.id }, body: { devices_max: null } });
    expect(await codeOf(add())).toBe("devices.limit_reached");
    await admin.client.service.changeSettings({ body: { devices_per_account_max: 8 } });
    await add();
    expect(await codeOf(add())).toBe("devices.limit_reached");
  });
});

test("a process that starts knows who has which plan, also when nobody was told", async () => {
  const customer = await service.person();
  const plan = await plans.create({ body: { name: newName() } });
  await plans.assign({ params: { id: customer.id }, body: { plan_id: plan.id } });
  const silent = { publish: () => undefined, subscribe: () => undefined, start: async () => undefined };
  const audit = { record: async () => undefined };
  const other = await openPlans({
    database: service.database,
    bus: silent,
    audit,
    onTrouble: () => undefined,
  });
  expect(other.planOf(customer.id).id).toBe(plan.id);
  expect(other.planOf(createId("account")).id).toBe(standardId);
});
