import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createSecret } from "@securewave/foundation/secret";
import { openMailServer, readOutbox, temporaryDir } from "@securewave/testing";
import { expect, test } from "vitest";
import { createMail, type Letter } from "./index.ts";

const letter: Letter = {
  to: "anna@example.org",
  subject: "Confirm your mail address for Wave & Co <test>",
  paragraphs: ["First line.", "Is 1 < 2 & 3 > 2? Grüße."],
  action: { label: "Confirm", url: "https://vpn.example.org/verify#token=swv_abc" },
};

test("with a mail server, a mail reaches it whole", async () => {
  await using server = await openMailServer();
  const smtpUrl = createSecret(`smtp://${server.host}:${server.port}`);
  const mail = createMail({ smtpUrl, from: "SecureWave <no-reply@example.org>", outboxDir: "/nonexistent" });
  await mail.deliver(letter);
  const received = await server.latestFor("anna@example.org");
  expect(received.subject).toBe(letter.subject);
  expect(received.text).toContain("Is 1 < 2 & 3 > 2? Grüße.");
  expect(received.html).toContain("Is 1 &lt; 2 &amp; 3 &gt; 2?");
  expect(received.links).toContain("https://vpn.example.org/verify#token=swv_abc");
  mail.close();
});

test("to another machine a mail goes by TLS or not at all", async () => {
  await using server = await openMailServer();
  const smtpUrl = createSecret(`smtp://2130706433:${server.port}`); // 127.0.0.1, in no usual spelling
  const mail = createMail({ smtpUrl, from: "no-reply@example.org", outboxDir: "/nonexistent" });
  await expect(mail.deliver(letter)).rejects.toThrow(/STARTTLS/);
  mail.close();
});

test("a mail that the server refuses is not taken for sent", async () => {
  await using server = await openMailServer();
  server.refuseWith(451);
  const smtpUrl = createSecret(`smtp://${server.host}:${server.port}`);
  const mail = createMail({ smtpUrl, from: "no-reply@example.org", outboxDir: "/nonexistent" });
  await expect(mail.deliver(letter)).rejects.toThrow();
  mail.close();
});

test("without a mail server, mails lie in the outbox in order, readable by their owner only", async () => {
  using dir = temporaryDir("outbox");
  const outboxDir = join(dir.path, "outbox");
  const mail = createMail({ smtpUrl: undefined, from: "no-reply@example.org", outboxDir });
  await mail.deliver(letter);
  await mail.deliver({ ...letter, to: "bob@example.org" });
  expect((await readOutbox(outboxDir)).map(({ to }) => to)).toEqual([
    ["anna@example.org"],
    ["bob@example.org"],
  ]);
  for (const name of readdirSync(outboxDir)) {
    expect(name).toMatch(/\.eml$/);
    expect(statSync(join(outboxDir, name)).mode & 0o077).toBe(0);
  }
});

test("no line of a mail can be smuggled into its head", async () => {
  using dir = temporaryDir("outbox");
  const mail = createMail({ smtpUrl: undefined, from: "no-reply@example.org", outboxDir: dir.path });
  await mail.deliver({ ...letter, subject: "Hello\r\nBcc: eve@example.org" });
  const [sent] = await readOutbox(dir.path);
  expect(sent?.raw).not.toMatch(/^Bcc:/im);
});
