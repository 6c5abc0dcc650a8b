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

export function changedLetter(to: string, serviceName: string, url: string): Letter {
  return {
    to,
    subject: `Your ${serviceName} password was changed`,
    paragraphs: [
      `The password of your ${serviceName} account was changed, and its other log-ins were ended.`,
      "Passkeys and API keys still work: if it was not you, set a new password at once by the link below, and then remove those that you do not know.",
    ],
    action: { label: "Set a new password", url },
  };
}
