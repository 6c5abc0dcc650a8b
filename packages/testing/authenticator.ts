import type { Page } from "playwright-core";

/** What keeps passkeys, built into Chromium for tests: it takes no finger, and confirms only while told to. */
export interface Authenticator {
  /** Does something during which its user confirms what is asked. */
  confirming<Result>(act: () => Promise<Result>): Promise<Result>;
  /** How many passkeys it keeps. */
  count(): Promise<number>;
}

/**
 * Gives a page the fingerprint reader of a laptop: it checks its user and keeps passkeys that know their user.
 * They are gone with the page.
 *
 * @see https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/
 */
export async function addAuthenticator(page: Page): Promise<Authenticator> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable", { enableUI: false });
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: false,
    },
  });
  const confirm = (enabled: boolean) =>
    devtools.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
  return {
    async confirming(act) {
      await confirm(true);
      try {
        return await act();
      } finally {
        await confirm(false);
      }
    },
    async count() {
      const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
      return credentials.length;
    },
  };
}
