import { afterAll, expect, test } from "vitest";
import { openTestApp } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());

test("whoever is asked to agree to a policy can read it, without a log-in and without script", async () => {
  const { policy_url } = await service.client().service.info();
  const page = await service.app.server.inject({ url: policy_url });
  expect(page.statusCode).toBe(200);
  expect(page.headers["content-security-policy"]).toMatch(/style-src 'sha256-[A-Za-z0-9+/=]+'/);
  expect(page.payload).toContain("<code>REFRESH_TOKEN_EXPIRATION_DAYS</code>");
  expect(page.payload).toContain("that a device is connected");
  expect(page.payload).not.toMatch(/<script|undefined|\| ---/);
});
