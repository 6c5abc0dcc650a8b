import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createEndpointNames } from "./endpoint-names.ts";

/** A resolver that answers when the test says so. */
function openResolver() {
  const asked: { host: string; answer: (address: string) => void; fail: (code: string) => void }[] = [];
  const addressOf = createEndpointNames(
    (host) =>
      new Promise((resolve, reject) => {
        const fail = (code: string) => reject(Object.assign(new Error("no answer"), { code }));
        asked.push({ host, answer: (address) => resolve({ address }), fail });
      }),
  );
  async function next() {
    await turn();
    const question = asked.shift();
    if (!question) throw new Error("nothing was asked");
    return question;
  }
  return { addressOf, next, waiting: () => asked.length };
}

test("names are looked up one at a time, and one that is being looked up no second time", async () => {
  const { addressOf, next, waiting } = openResolver();
  const found = Promise.all(["a.example", "b.example", "a.example"].map(addressOf));
  const first = await next();
  expect([first.host, waiting()]).toEqual(["a.example", 0]);
  first.answer("192.0.2.1");
  const second = await next();
  expect([second.host, waiting()]).toEqual(["b.example", 0]);
  second.answer("192.0.2.2");
  expect(await found).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.1"]);
  await turn();
  expect(waiting()).toBe(0);
});

test("an address that is known serves while its name is looked up again, also when nobody answers", async () => {
  const { addressOf, next } = openResolver();
  const first = addressOf("a.example");
  (await next()).answer("192.0.2.1");
  expect(await first).toBe("192.0.2.1");
  expect(await addressOf("a.example")).toBe("192.0.2.1");
  (await next()).fail("EAI_AGAIN");
  await turn();
  expect(await addressOf("a.example")).toBe("192.0.2.1");
  (await next()).answer("192.0.2.9");
  await turn();
  expect(await addressOf("a.example")).toBe("192.0.2.9");
});

test("a name that is no more has no address, and gets one when it is there again", async () => {
  const { addressOf, next } = openResolver();
  const first = addressOf("a.example");
  (await next()).answer("192.0.2.1");
  await first;
  await addressOf("a.example");
  (await next()).fail("ENOTFOUND");
  await turn();
  const gone = addressOf("a.example");
  (await next()).fail("ENOTFOUND");
  expect(await gone).toBeUndefined();
  const back = addressOf("a.example");
  (await next()).answer("192.0.2.3");
  expect(await back).toBe("192.0.2.3");
});

test("an address is no name", async () => {
  const { addressOf, waiting } = openResolver();
  expect(await Promise.all(["192.0.2.1", "2001:db8::1"].map(addressOf))).toEqual([
    "192.0.2.1",
    "2001:db8::1",
  ]);
  expect(waiting()).toBe(0);
});
