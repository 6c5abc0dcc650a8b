import type { Letter } from "../mail/index.ts";

interface NoticeText {
  /** Goes before `your … account`. */
  readonly subject: string;
  readonly happened: string;
  readonly ifNotYou: string;
  readonly action?: Page;
}

interface Page {
  readonly label: string;
  readonly path: string;
}

const SECURITY_PAGE: Page = { label: "Look at your security settings", path: "/account/security" };
const PRIVACY_PAGE: Page = { label: "Look at your privacy settings", path: "/account/privacy" };
/** For an owner whose password works no more. */
const FORGOT_PAGE: Page = { label: "Set a new password", path: "/forgot" };

/** None says from where or when it was done: letters lie in mailboxes for years. */
const NOTICES = {
  password_changed: {
    subject: "A new password was set for",
    happened: "A new password was set, and the other log-ins were ended.",
    ifNotYou:
      "Passkeys and API keys still work: if it was not you, set a new password at once by the link below, and then remove those that you do not know.",
    action: FORGOT_PAGE,
  },
  second_factor_enabled: {
    subject: "A second factor was switched on for",
    happened: "From here on, logging in with the password takes a code of an authenticator app, too.",
    ifNotYou:
      "If it was not you, somebody else is in your account: ask those who run the service to take the second factor off, and then set a new password.",
  },
  second_factor_disabled: {
    subject: "The second factor was switched off for",
    happened: "The second factor was switched off: the password is enough to log in.",
    ifNotYou:
      "If it was not you, set a new password at once, end the other log-ins, and switch the second factor on again.",
  },
  second_factor_reset: {
    subject: "The second factor was removed from",
    happened:
      "Those who run the service took the second factor and all passkeys off, and ended all log-ins: the password is enough to log in.",
    ifNotYou: "If you did not ask them to, set a new password at once, and tell them.",
  },
  recovery_code_used: {
    subject: "A recovery code was used for",
    happened:
      "A recovery code was used in place of a code of the authenticator app. It works no second time.",
    ifNotYou:
      "If it was not you, somebody has recovery codes of yours and perhaps your password: set a new password and make new recovery codes at once.",
  },
  passkey_added: {
    subject: "A passkey was added to",
    happened: "A passkey was added. Whoever holds it can log in with it alone.",
    ifNotYou: "If it was not you, remove it at once, set a new password, and end the other log-ins.",
  },
  passkey_removed: {
    subject: "A passkey was removed from",
    happened: "A passkey was removed: nobody can log in with it.",
    ifNotYou: "If it was not you, set a new password at once, and end the other log-ins.",
  },
  deletion_requested: {
    subject: "Deletion was asked for of",
    happened:
      "Its deletion was asked for. When the days of grace are over, the account and everything that belongs to it are erased for good. Until then it works as before, and its owner can take it back.",
    ifNotYou:
      "If it was not you, take it back on the page “Privacy”, set a new password, and end the other log-ins.",
    action: PRIVACY_PAGE,
  },
  deletion_withdrawn: {
    subject: "Deletion was taken back of",
    happened: "Its deletion was taken back: the account stays.",
    ifNotYou: "If it was not you, set a new password at once, and end the other log-ins.",
  },
  api_key_created: {
    subject: "An API key was made for",
    happened: "An API key was made. Programs that hold it can act for the account until the key ends.",
    ifNotYou:
      "If it was not you, revoke it at once on the page “API keys”, set a new password, and end the other log-ins.",
  },
} as const satisfies Record<string, NoticeText>;

/** What an owner is told of. */
export type Notice = keyof typeof NOTICES;

export const notices = Object.keys(NOTICES) as readonly Notice[];

export function noticeLetter(notice: Notice, to: string, serviceName: string, publicUrl: string): Letter {
  const { subject, happened, ifNotYou, action = SECURITY_PAGE }: NoticeText = NOTICES[notice];
  return {
    to,
    subject: `${subject} your ${serviceName} account`,
    paragraphs: [`This is about your ${serviceName} account. ${happened}`, ifNotYou],
    action: { label: action.label, url: `${publicUrl}${action.path}` },
  };
}
