import { sentinelErrors } from "@securewave/contracts/sentinel";
import { fastify } from "fastify";
import { describe, expect, test } from "vitest";
import { inOrder, pluginOf, type Step } from "./step.ts";

async function serve(...steps: Step[]) {
  const app = fastify();
  let reached = 0;
  app.register(pluginOf("test", inOrder(steps)));
  app.get("/", async () => {
    reached++;
    return "served";
  });
  const answer = await app.inject("/");
  await app.close();
  return { status: answer.statusCode, text: answer.body, reached };
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 2));

describe("steps in order", () => {
  test("run one after the other, also where one waits, and then the route", async () => {
    const seen: string[] = [];
    const at = (name: string): Step => {
      return () => void seen.push(name);
    };
    const waiting: Step = async () => {
      await pause();
      seen.push("waited");
    };
    expect(await serve(at("a"), waiting, at("b"), waiting, at("c"))).toMatchObject({
      status: 200,
      reached: 1,
    });
    expect(seen).toEqual(["a", "waited", "b", "waited", "c"]);
  });

  test("a chain of which none waits gives no promise", () => {
    const chain = inOrder([() => undefined, () => undefined]);
    expect(chain({} as never, {} as never)).toBeUndefined();
  });

  test.each<[string, Step]>([
    [
      "at once",
      () => {
        throw sentinelErrors.blocked();
      },
    ],
    [
      "after waiting",
      async () => {
        await pause();
        throw sentinelErrors.blocked();
      },
    ],
  ])("a refusal %s stops the request: no later step and no route sees it", async (_, refusing) => {
    let later = 0;
    const answer = await serve(refusing, () => void later++);
    expect(answer).toMatchObject({ status: 403, reached: 0 });
    expect(answer.text).toContain("sentinel.blocked");
    expect(later).toBe(0);
  });

  test.each<[string, Step]>([
    [
      "throws",
      () => {
        throw undefined;
      },
    ],
    ["rejects with", () => Promise.reject()],
  ])("a step that %s nothing fails closed", async (_, broken) => {
    expect(await serve(broken)).toMatchObject({ status: 500, reached: 0 });
  });

  test.each<[string, Step]>([
    ["at once", (_request, reply) => void reply.code(204).send()],
    [
      "after waiting",
      async (_request, reply) => {
        await pause();
        await reply.code(204).send();
      },
    ],
  ])("a step that answers %s has the last word", async (_, answering) => {
    let later = 0;
    expect(await serve(answering, () => void later++)).toMatchObject({ status: 204, reached: 0 });
    expect(later).toBe(0);
  });
});
