import type { Letter } from "../mail/index.ts";

export interface KeyLetter {
  readonly to: string;
  readonly serviceName: string;
  /** The page of the device. It alone tells which one: letters lie in mailboxes for years. */
  readonly url: string;
}

/** @param validUntil the last day of the former config */
export function rotatedLetter({ to, serviceName, url }: KeyLetter, validUntil: string): Letter {
  return {
    to,
    subject: `A device of yours needs its new ${serviceName} config`,
    paragraphs: [
      `Keys do not stay the same for ever: ${serviceName} has made new ones for one of your devices, as it does from time to time.`,
      `Fetch the new config by the link below and put it into the device. The former one works until the end of ${validUntil} (UTC), and no longer.`,
    ],
    action: { label: "Fetch the new config", url },
  };
}

/**
 * @param url the page of all devices, where those with a new config say so
 * @param validUntil the last day of the former configs
 */
export function movedLetter({ to, serviceName, url }: KeyLetter, validUntil: string): Letter {
  return {
    to,
    subject: `Devices of yours need their new ${serviceName} config`,
    paragraphs: [
      `A server of ${serviceName} is being taken out of service, so devices of yours were moved to another one. Each of them says so on the page that the link opens.`,
      `Fetch their new configs there and put them into the devices. The former ones work until the end of ${validUntil} (UTC), and no longer.`,
    ],
    action: { label: "See which devices", url },
  };
}

export function reminderLetter({ to, serviceName, url }: KeyLetter): Letter {
  return {
    to,
    subject: `A device of yours should get a new key for ${serviceName}`,
    paragraphs: [
      `One of your devices has used the same key for ${serviceName} for a long time. Its private key has never left it, so nobody but you can make another one.`,
      "Open the link below to give the device a new key. Until then the present one works as before; how often you are reminded of this is set there, too.",
    ],
    action: { label: "Give it a new key", url },
  };
}
