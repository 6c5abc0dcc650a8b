import type { About, Group } from "../entry.ts";
import { givenText, hash, text } from "../fields.ts";

const LETTER = {
  class: "transport",
  whose: "customer",
  lifetime:
    "in your mailbox as long as you keep it; without a mail server, in the outbox until the operator removes it",
  purpose: "to let you confirm, recover and watch over your account",
  basis: "contract",
  export: { not: "is in your mailbox" },
} as const satisfies Partial<About>;

/** No letter says from where or when something was done, nor anything of a tunnel: letters lie in mailboxes for years. */
function letter(name: string, what: string, hasLink = true): Group {
  return {
    room: "mail",
    name,
    ...LETTER,
    what,
    fields: {
      to: givenText("your mail address"),
      from: text("the service's address"),
      subject: text("a sentence of ours"),
      text: text("sentences of ours"),
      ...(hasLink ? { link: hash("a link that works once") } : {}),
    },
  };
}

export const mails: readonly Group[] = [
  letter("verification", "asks you to confirm your mail address"),
  letter("welcome back", "tells you that you have an account already"),
  letter("reset", "lets you set a new password"),
  letter(
    "usage notice",
    "tells you that 80 % or 100 % of a month's quota are used, not how many bytes or when",
    false,
  ),
  letter(
    "key rotated",
    "tells you that one of your devices needs its new configuration, and until which day the former one works",
    false,
  ),
  letter("key reminder", "reminds you that one of your devices should get a new key", false),
  letter(
    "maintenance",
    "tells you of announced maintenance of servers that you use, or of the whole service",
    false,
  ),
  letter("notice", "tells you what staff wrote to all whom something concerns", false),
  letter("security notice", "tells you what was done to your account", false),
];
