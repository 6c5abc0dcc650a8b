export interface ReceivedMail {
  from: string;
  /** Bare addresses in lower case: the envelope's where it is known, else those of the header. */
  to: string[];
  subject: string;
  /** The plain text part, decoded; the HTML where there is none. */
  text: string;
  /** Absent when the message has no HTML part. */
  html: string | undefined;
  /** Every http and https link of the text and the HTML, each once, in order. */
  links: string[];
  /** The message as it came. */
  raw: string;
}

/** Reads a message as far as our own mails go: RFC 5322 headers, RFC 2047 words, RFC 2046 parts in UTF-8. */
export function parseMail(raw: string, envelopeTo?: readonly string[]): ReceivedMail {
  const whole = splitPart(raw);
  const leaves = collectLeaves(whole);
  const find = (type: string) => leaves.find((leaf) => leaf.type === type)?.body;
  const html = find("text/html");
  const text = find("text/plain") ?? html ?? "";
  return {
    from: addresses(whole.headers.get("from") ?? "")[0] ?? "",
    to: envelopeTo?.map((address) => address.toLowerCase()) ?? addresses(whole.headers.get("to") ?? ""),
    subject: decodeWords(whole.headers.get("subject") ?? ""),
    text,
    html,
    links: extractLinks(`${text}\n${html ?? ""}`),
    raw,
  };
}

/** Every http and https link in a text or HTML, each once, in order. */
export function extractLinks(text: string): string[] {
  const found = text.matchAll(/https?:\/\/[^\s<>"'`\\^{|}]+/g);
  // A full stop or bracket behind a link belongs to the sentence; in HTML `&` is written `&amp;`.
  const links = [...found].map(([link]) => link.replaceAll("&amp;", "&").replace(/[.,;:!?)\]]+$/, ""));
  return [...new Set(links)];
}

interface Part {
  headers: Map<string, string>;
  body: string;
}

function splitPart(raw: string): Part {
  const text = raw.replaceAll("\r\n", "\n");
  const at = text.startsWith("\n") ? 0 : text.indexOf("\n\n");
  const head = at < 0 ? text : text.slice(0, at);
  const headers = new Map<string, string>();
  for (const line of head.replace(/\n[ \t]+/g, " ").split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, body: at < 0 ? "" : text.slice(at).replace(/^\n{1,2}/, "") };
}

function collectLeaves(part: Part): { type: string; body: string }[] {
  const contentType = part.headers.get("content-type") ?? "text/plain";
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "text/plain";
  if (type.startsWith("multipart/")) {
    const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
    if (boundary === undefined) return [];
    const inner = `\n${part.body}`.split(`\n--${boundary}`).slice(1, -1);
    return inner.flatMap((text) => collectLeaves(splitPart(text.replace(/^[ \t]*\n/, ""))));
  }
  const encoding = (part.headers.get("content-transfer-encoding") ?? "7bit").toLowerCase();
  return [{ type, body: decodeBody(part.body, encoding) }];
}

function decodeBody(body: string, encoding: string): string {
  if (encoding === "base64") return Buffer.from(body, "base64").toString("utf8");
  if (encoding !== "quoted-printable") return body;
  return decodeQuoted(body.replace(/=[ \t]*\n/g, ""));
}

/** Reads `=C3=A9`; bytes stand as such, since UTF-8 takes several. */
function decodeQuoted(text: string): string {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  const decoded = bytes.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1").toString("utf8");
}

/** RFC 2047: `=?utf-8?B?…?=`; the space between two such words is not part of the text. */
function decodeWords(header: string): string {
  const joined = header.replace(/\?=\s+=\?/g, "?==?");
  return joined.replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, data: string) =>
    kind.toLowerCase() === "b"
      ? Buffer.from(data, "base64").toString("utf8")
      : decodeQuoted(data.replaceAll("_", " ")),
  );
}

function addresses(header: string): string[] {
  return [...header.matchAll(/[^\s<>,;:"]+@[^\s<>,;:"]+/g)].map(([address]) => address.toLowerCase());
}
