import { type Group, NOBODYS } from "../entry.ts";
import { type Field, hash, word } from "../fields.ts";

function kept(
  name: string,
  what: string,
  lifetime: string,
  purpose: string,
  fields: Readonly<Record<string, Field>>,
): Group {
  return { room: "browser", name, what, class: "transport", ...NOBODYS, lifetime, purpose, fields };
}

/** What the console keeps in your own browser, and nowhere else. None of it is for following you about. */
export const browserItems: readonly Group[] = [
  kept("theme", "whether the console is dark", "until you clear it", "to look as you like", {
    value: word("which", ["light", "dark", "system"]),
  }),
  kept("log-in cookie", "your log-in", "as the log-in: see `sessions`", "to keep you logged in", {
    value: hash("random; scripts cannot read it"),
  }),
];
