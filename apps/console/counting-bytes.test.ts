import { expect, test } from "vitest";
import { countingBytes } from "./counting-bytes.ts";

test("an answer is the same, and tells how many of its bytes have come", async () => {
  const seen: number[] = [];
  const headers = { "content-type": "application/json" };
  const answer = countingBytes(new Response('{"é":1}', { headers }), (bytes) => seen.push(bytes));
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(await answer.json()).toEqual({ é: 1 });
  expect(seen.at(-1)).toBe(8);
});

test("an answer without a body, and a refusal, stay as they are", () => {
  for (const answer of [new Response(null, { status: 204 }), new Response("{}", { status: 403 })])
    expect(countingBytes(answer, () => undefined)).toBe(answer);
});
