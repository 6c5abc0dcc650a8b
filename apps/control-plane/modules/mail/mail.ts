import { randomBytes } from "node:crypto";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { escapeHtml } from "@securewave/foundation/html";
import type { Secret } from "@securewave/foundation/secret";
import { createTransport, type Transporter } from "nodemailer";

/** A mail in plain words; the look is added here. */
export interface Letter {
  readonly to: string;
  readonly subject: string;
  readonly paragraphs: readonly string[];
  readonly action?: { readonly label: string; readonly url: string };
}

/** The only way out for mail. */
export interface Mail {
  /** Resolves when the mail server has taken it, or when it lies in the outbox for good. */
  deliver(letter: Letter): Promise<void>;
  /** Fails where the mail server would take nothing. */
  verify(): Promise<void>;
  close(): void;
}

export interface MailOptions {
  readonly smtpUrl: Secret | undefined;
  readonly from: string;
  /** Where mails go without a mail server, one `.eml` file each. */
  readonly outboxDir: string;
}

export function createMail({ smtpUrl, from, outboxDir }: MailOptions): Mail {
  const transport: Transporter = smtpUrl
    ? createTransport(confidential(smtpUrl.reveal()), { from })
    : createTransport({ streamTransport: true, buffer: true, newline: "unix" }, { from });
  return {
    async deliver({ to, subject, ...content }) {
      const sent: unknown = await transport.sendMail({
        to,
        subject,
        text: textOf(content),
        html: htmlOf(content),
      });
      if (!smtpUrl) await keep(outboxDir, contentOf(sent));
    },
    async verify() {
      if (smtpUrl) await transport.verify();
    },
    close: () => transport.close(),
  };
}

/** Links that open accounts cross a network in nothing but TLS. */
function confidential(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol === "smtp:" && !isLocal) url.searchParams.set("requireTLS", "true");
  return url.href;
}

type Content = Pick<Letter, "paragraphs" | "action">;

function textOf({ paragraphs, action }: Content): string {
  return [...paragraphs, ...(action ? [`${action.label}:\n${action.url}`] : []), "SecureWave"].join("\n\n");
}

function htmlOf({ paragraphs, action }: Content): string {
  const body = paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`);
  if (action) body.push(`<p><a href="${escapeHtml(action.url)}">${escapeHtml(action.label)}</a></p>`);
  return `<!doctype html><html lang="en"><body style="font:16px/1.5 sans-serif">${body.join("")}</body></html>`;
}

function contentOf(sent: unknown): Buffer {
  const hasMessage =
    typeof sent === "object" && sent !== null && "message" in sent && Buffer.isBuffer(sent.message);
  if (!hasMessage) throw new TypeError("the stream transport answers with the message");
  return sent.message as Buffer;
}

/** Names sort by time. The file is whole and on disk before it has its name. */
async function keep(dir: string, content: Buffer): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const name = `${new Date().toISOString().replace(/[:.]/g, "-")}-${randomBytes(4).toString("hex")}.eml`;
  const file = await open(join(dir, `.${name}`), "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(join(dir, `.${name}`), join(dir, name));
}
