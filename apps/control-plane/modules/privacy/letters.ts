import type { Letter } from "../mail/index.ts";

export function erasedLetter(to: string, serviceName: string): Letter {
  return {
    to,
    subject: `Your ${serviceName} account is erased`,
    paragraphs: [
      `Your ${serviceName} account and everything that belonged to it is being erased, as was asked for.`,
      "The key without which nobody can read your data in any backup is destroyed. This is the last letter that you get.",
    ],
  };
}
