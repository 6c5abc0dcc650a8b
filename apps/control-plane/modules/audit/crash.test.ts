import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import { useTrail } from "./testing.ts";

const trail = await useTrail();
const { database, run, fill, verify, bodies } = trail;

const KILLS = 3;
/** Each process is killed once it was acknowledged so many acts, and a few more that were on their way. */
const ACTS = [40, 90, 140];

const children: ReturnType<typeof trail.spawn>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** @returns the accounts whose acts were acknowledged before it was killed */
async function writeUntilKilled(actsMin: number): Promise<string[]> {
  const child = trail.spawn("write");
  children.push(child);
  const acknowledged: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on("line", (line) => {
    acknowledged.push(line);
    if (acknowledged.length === actsMin) child.kill("SIGKILL");
  });
  await once(output, "close");
  expect(acknowledged.length).toBeGreaterThanOrEqual(actsMin);
  return acknowledged;
}

test(`two processes write at once and are killed ${KILLS} times each: nothing acknowledged is lost, nothing stands twice, the trail is whole`, {
  timeout: 120_000,
}, async () => {
  const acknowledged: string[] = [];
  let note: string | undefined;
  for (let kill = 0; kill < KILLS; kill++) {
    const killed = [ACTS[kill] ?? 1, ACTS[(kill + 1) % ACTS.length] ?? 1].map(writeUntilKilled);
    for (const accounts of await Promise.all(killed)) acknowledged.push(...accounts);
    // Whoever goes on takes up what they have left.
    await expect.poll(() => trail.audit.sequence().then(() => "done")).toBe("done");
    expect(await verify(note)).toMatchObject({ isWhole: true, erased: 0 });
    note = (await trail.audit.sign()).note;
  }
  const actors = (await bodies()).filter((body) => body?.kind === "session_ended").map((body) => body?.actor);
  expect(new Set(actors).size).toBe(actors.length);
  expect(actors).toEqual(expect.arrayContaining(acknowledged));
  expect((await database.pool.query("select from audit_queue")).rowCount).toBe(0);
  expect(trail.errors).toEqual([]);
});

test("what fails between an entry and the tree leaves neither, and the act in the queue", async () => {
  await fill(3);
  await run(`create function fail() returns trigger language plpgsql as $$ begin raise exception 'away'; end $$;
    create trigger fail before update on audit_tree for each statement execute function fail()`);
  await expect(fill(2)).rejects.toThrow();
  expect((await bodies()).length).toBe(3);
  expect((await database.pool.query("select from audit_queue")).rowCount).toBe(2);
  await run("drop function fail cascade");
  expect(await verify()).toMatchObject({ isWhole: true, entries: 5 });
});
