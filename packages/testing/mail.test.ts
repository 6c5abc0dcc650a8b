import { utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { latestMail, openMailServer, readOutbox } from "./mail.ts";
import { extractLinks, parseMail } from "./mail-text.ts";
import { temporaryDir } from "./temporary.ts";

const message = `From: SecureWave <no-reply@example.com>
To: Ada <Ada@Example.com>,
 bob@example.com
Subject: =?utf-8?B?QmVzdMOkdGlnZW4=?= =?UTF-8?Q?_Sie_=E2=9C=93?=
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="--part-1"

----part-1
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe! =
Open https://vpn.example/verify?code=3Dabc=
def&x=3D1.

----part-1
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

${Buffer.from('<a href="https://vpn.example/verify?code=abcdef&amp;x=1">Open</a>').toString("base64")}
----part-1--
`;

describe("a message", () => {
  test("is read with its encodings, parts and links", () => {
    const mail = parseMail(message.replaceAll("\n", "\r\n"));
    expect(mail).toMatchObject({
      from: "no-reply@example.com",
      to: ["ada@example.com", "bob@example.com"],
      subject: "Bestätigen Sie ✓",
      html: '<a href="https://vpn.example/verify?code=abcdef&amp;x=1">Open</a>',
      links: ["https://vpn.example/verify?code=abcdef&x=1"],
    });
    expect(mail.text).toContain("Grüße! Open");
  });

  test("without parts is text", () => {
    const mail = parseMail("To: a@example.com\nSubject: Hello\n\nfirst\n\nsecond\n");
    expect(mail).toMatchObject({ subject: "Hello", text: "first\n\nsecond\n", html: undefined, links: [] });
  });

  test("gives links without the sentence around them", () => {
    expect(extractLinks("(see https://a.example/x, <http://b.example/?q=1>.) https://a.example/x")).toEqual([
      "https://a.example/x",
      "http://b.example/?q=1",
    ]);
  });
});

describe("an outbox folder", () => {
  test("gives the newest message for an address, waiting for it", async () => {
    using outbox = temporaryDir();
    const put = (name: string, to: string, subject: string, at: number) => {
      writeFileSync(join(outbox.path, name), `To: ${to}\r\nSubject: ${subject}\r\n\r\n`);
      utimesSync(join(outbox.path, name), at, at);
    };
    put("b.eml", "ada@example.com", "older", 1000);
    put("a.eml", "ada@example.com", "newer", 2000);
    put("c.eml", "bob@example.com", "another's", 3000);
    expect(await latestMail(outbox.path, "Ada@example.com")).toMatchObject({ subject: "newer" });
    expect((await readOutbox(outbox.path)).map(({ subject }) => subject)).toEqual([
      "older",
      "newer",
      "another's",
    ]);
    const coming = latestMail(outbox.path, "eve@example.com");
    put("d.eml", "eve@example.com", "late", 4000);
    expect(await coming).toMatchObject({ subject: "late" });
    await expect(latestMail(outbox.path, "nobody@example.com", { timeoutMs: 50 })).rejects.toThrow(
      "no message",
    );
  });
});

describe("the mail server", () => {
  test("receives over SMTP, and refuses when told to", async () => {
    await using server = await openMailServer();
    expect(await send(server.port, message)).toMatch(/^250/);
    const mail = await server.latestFor("ADA@example.com");
    expect(mail.links).toEqual(["https://vpn.example/verify?code=abcdef&x=1"]);
    server.refuseWith(451);
    expect(await send(server.port, message)).toMatch(/^451/);
    expect(server.messages()).toHaveLength(1);
  });
});

/** Speaks SMTP by hand; gives back the server's answer to the message. */
async function send(port: number, body: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const answer = async () => {
    for (;;) {
      const { value } = await lines.next();
      if (typeof value !== "string" || /^\d{3} /.test(value)) return String(value);
    }
  };
  await answer();
  for (const command of [
    "EHLO test",
    "MAIL FROM:<no-reply@example.com>",
    "RCPT TO:<ada@example.com>",
    "DATA",
  ]) {
    socket.write(`${command}\r\n`);
    await answer();
  }
  socket.write(`${body.replaceAll("\n", "\r\n")}\r\n.\r\n`);
  const last = await answer();
  socket.destroy();
  return last;
}
