import type { Letter } from "../mail/index.ts";

export function verificationLetter(to: string, serviceName: string, url: string): Letter {
  return {
    to,
    subject: `Confirm your mail address for ${serviceName}`,
    paragraphs: [
      `Somebody, hopefully you, registered this address with ${serviceName}.`,
      "Open the link below to confirm it. It works once, until the end of tomorrow (UTC).",
      "If it was not you, nothing needs to be done: without the link the account stays closed.",
    ],
    action: { label: "Confirm mail address", url },
  };
}

/** To somebody who registers with an address that has an account; nobody else learns that it has. */
export function welcomeBackLetter(to: string, serviceName: string, url: string): Letter {
  return {
    to,
    subject: `You have a ${serviceName} account already`,
    paragraphs: [
      `Somebody, hopefully you, tried to register this address with ${serviceName}, where it has an account already.`,
      "Log in with the password that you chose then. If it was not you, nothing needs to be done.",
    ],
    action: { label: "Log in", url },
  };
}
