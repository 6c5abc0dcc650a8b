import type { Letter } from "../mail/index.ts";

export function resetLetter(to: string, serviceName: string, url: string): Letter {
  return {
    to,
    subject: `Set a new password for ${serviceName}`,
    paragraphs: [
      `Somebody, hopefully you, forgot the password of your ${serviceName} account.`,
      "Open the link below to set a new one. It works once, within the next hour. All log-ins end with it.",
      "If it was not you, nothing needs to be done: your password stays as it is.",
    ],
    action: { label: "Set a new password", url },
  };
}
