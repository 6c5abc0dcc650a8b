import { REFUSALS } from "@securewave/contracts/node-protocol";
import { openDatabase } from "@securewave/database";
import { dayOf } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, describe, expect, test } from "vitest";
import {
  connectNode,
  createFakeNode,
  type FakeNode,
  joinNode,
  type NodeIdentity,
  openTestApp,
  type TestApp,
  useJoinToken,
} from "../../testing.ts";

const service = await openTestApp({ jobs: true });
const { url } = service.database;
const pool = { poolMax: 10, statementTimeoutMs: 10_000 };
/** Another replica, with the same files and the same database. */
const other = await openTestApp({
  dataDir: service.config.store.dir,
  database: { ...(await openDatabase({ ...pool, url })), url, truncateAll: async () => undefined },
});
afterAll(async () => {
  await other.close();
  await service.close();
});
const admin = await service.admin();

const show = (id: string) => admin.client.nodes.show({ params: { id } });

/** Each takes the node from the other by turns, at these replicas, as agents do that are told that they were replaced. */
async function takeTurns(identity: NodeIdentity, at: readonly TestApp[]): Promise<FakeNode[]> {
  const copies = at.map((replica) => createFakeNode(replica, identity));
  const opened: FakeNode[] = [];
  for (const copy of copies) {
    const former = opened.at(-1);
    await copy.connect({ claim: { revision: copy.revision() } });
    if (former) await former.ended();
    opened.push(copy);
  }
  return opened;
}

async function auditKinds(id: string): Promise<string[]> {
  await service.app.audit.sign();
  const { items } = await admin.client.audit.list({ query: { subject: id } });
  return items.flatMap(({ body }) => (body ? [body.kind] : []));
}

describe.each([
  ["at one replica", [service, service, service, service]],
  ["at two replicas by turns", [service, other, service, other]],
  ["at another replica and back", [service, service, other, other]],
])("two machines with one credential, %s", (_, at) => {
  test("end it: both are told, staff see what to do, and a letter goes to each admin once", async () => {
    const boss = await service.person("admin");
    const identity = await joinNode(service);
    const before = (await service.mails()).length;
    const copies = await takeTurns(identity, at);
    const [last, former] = [copies.at(-1), copies.at(-2)];
    expect(await former?.ended()).toMatchObject({ code: 1008, reason: REFUSALS.cloned });
    expect(await last?.ended()).toMatchObject({ code: 1008, reason: REFUSALS.cloned });
    expect(last?.frames().at(-1)).toMatchObject({ type: "refused", code: REFUSALS.cloned });
    for (const replica of [service, other]) {
      await expect(createFakeNode(replica, identity).connect()).rejects.toThrow(REFUSALS.cloned);
    }
    await eventually(async () =>
      expect(await show(identity.id)).toMatchObject({
        state: "offline",
        problem: expect.stringContaining("make a fresh join token"),
      }),
    );
    const { rows } = await service.database.pool.query(
      "select credential, cloned_on::text from nodes where id = $1",
      [identity.id],
    );
    expect(rows).toEqual([{ credential: null, cloned_on: dayOf(service.clock.now()) }]);
    expect((await auditKinds(identity.id)).filter((kind) => kind === "node_cloned")).toHaveLength(1);
    const letters = async () =>
      (await service.mails()).slice(before).filter(({ text }) => text.includes(identity.name));
    await eventually(async () => {
      const to = (await letters()).flatMap((letter) => letter.to);
      expect(to.filter((address) => address.includes(boss.email))).toHaveLength(1);
      expect(to.filter((address) => address.includes(admin.email))).toHaveLength(1);
    });
    expect((await letters())[0]?.text).toContain(`/admin/nodes/${identity.id}`);

    const { join_token } = await admin.client.nodes.renewJoinToken({ params: { id: identity.id } });
    const counts = "update nodes set counting = 'quarantined' where id = $1"; // the copies count each for itself
    await service.database.pool.query(counts, [identity.id]);
    const renewed = createFakeNode(service, await useJoinToken(service, join_token));
    await renewed.connect();
    expect(await show(identity.id)).toMatchObject({ state: "healthy", problem: null, quarantined: false });
    await expect(createFakeNode(service, identity).connect()).rejects.toThrow("nodes.not_recognised");
  });
});

describe("a node is not called cloned", () => {
  test("when its agent comes back over and over, here and there", async () => {
    const node = await connectNode(service);
    const twin = createFakeNode(other, node.identity);
    for (let round = 0; round < 6; round++) {
      const [from, to] = round % 2 ? [twin, node] : [node, twin];
      from.socket().terminate(); // the line is cut, and the control plane may not know yet
      await to.connect();
    }
    await node.connect();
    expect(await show(node.identity.id)).toMatchObject({ state: "healthy", problem: null });
  });

  test("when former connections hang and do not answer", async () => {
    const node = await connectNode(service);
    const hanging = [];
    for (let round = 0; round < 4; round++) {
      hanging.push(node.socket());
      node.socket().pause();
      await node.connect();
    }
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect(await show(node.identity.id)).toMatchObject({ state: "healthy", problem: null });
    expect(node.socket().readyState).toBe(node.socket().OPEN);
    for (const socket of hanging) socket.terminate();
  });

  test("after two displacements, since chance can make those", async () => {
    const identity = await joinNode(service);
    const copies = await takeTurns(identity, [service, other, service]);
    expect(await copies[1]?.ended()).toMatchObject({ reason: "replaced" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await show(identity.id)).problem ?? "").not.toContain("Two machines");
    expect(copies.at(-1)?.socket().readyState).toBe(copies.at(-1)?.socket().OPEN);
  });
});

test("of two replicas, the one at which the node connected last has it", async () => {
  const node = await connectNode(service);
  const there = createFakeNode(other, node.identity);
  await there.connect({ claim: { revision: null } });
  expect(await node.ended()).toMatchObject({ code: 1008, reason: "replaced" });
  expect(there.socket().readyState).toBe(there.socket().OPEN);
});
