/** Loaded when a passkey is made or used, and by no other visitor. */
import {
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
} from "@simplewebauthn/browser";
import { PageError } from "./problems.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * Lets the reader sign with a passkey.
 *
 * @param isOffer waits in the background until one is chosen among the suggestions of the field for the mail address
 * @throws what the browser threw; `explainPasskey` has words for it
 */
export async function signWithPasskey(options: Json, isOffer: boolean): Promise<Json> {
  if (!isRequest(options)) throw unexpected();
  return { ...(await startAuthentication({ optionsJSON: options, useBrowserAutofill: isOffer })) };
}

/** Lets the reader make a passkey; throws as `signWithPasskey` does. */
export async function makePasskey(options: Json): Promise<Json> {
  if (!isCreation(options)) throw unexpected();
  return { ...(await startRegistration({ optionsJSON: options })) };
}

/** Takes back what waits for a passkey. */
export function cancelPasskey(): void {
  WebAuthnAbortService.cancelCeremony();
}

function isRequest(options: Json): options is Json & PublicKeyCredentialRequestOptionsJSON {
  return typeof options.challenge === "string";
}

function isCreation(options: Json): options is Json & PublicKeyCredentialCreationOptionsJSON {
  return typeof options.challenge === "string" && "user" in options && "rp" in options;
}

function unexpected(): PageError {
  return new PageError("The service gave an answer that this page does not understand.");
}
