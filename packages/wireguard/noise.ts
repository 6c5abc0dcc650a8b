/**
 * The initiator's side of Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s, with nothing of WireGuard in it but the choice of it.
 *
 * @see https://noiseprotocol.org/noise.html §7.5, §9
 */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { invariant } from "@securewave/foundation";
import { publicBytesOf, publicObject } from "./native-keys.ts";
import { agree, type Bytes, hash, kdf, seal, TAG_BYTES, unseal } from "./noise-primitives.ts";

export type NoiseParties = {
  readonly prologue: Bytes;
  readonly ownSecret: KeyObject;
  readonly ownPublic: Bytes;
  readonly remotePublic: Bytes;
  readonly presharedKey: Bytes;
};

/** Keys of the transport messages that follow, one a direction. */
export type NoiseSession = { readonly sendKey: Bytes; readonly receiveKey: Bytes; readonly payload: Bytes };

export type NoiseAttempt = {
  /** `e, es, s, ss` and the payload. */
  readonly message: Bytes;
  /** Reads `e, ee, se, psk` and its payload; undefined when it was not made by the remote party with our keys. */
  finish(response: Bytes): NoiseSession | undefined;
};

const KEY_BYTES = 32;
const EMPTY = new Uint8Array(0);
const PROTOCOL_HASH = hash(Buffer.from("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s", "latin1"));

/** Prepares what all handshakes of two parties share: each `begin` is one, with a fresh ephemeral key unless given. */
export function createNoiseInitiator(parties: NoiseParties) {
  const remote = publicObject(parties.remotePublic);
  const staticShared = agree(parties.ownSecret, remote);
  invariant(staticShared !== undefined, "a parsed public key is no point of low order");
  const startHash = hash(hash(PROTOCOL_HASH, parties.prologue), parties.remotePublic);

  function begin(
    payload: Bytes,
    ephemeralSecret?: { privateKey: KeyObject; publicKey: KeyObject },
  ): NoiseAttempt {
    const ephemeral = ephemeralSecret ?? generateKeyPairSync("x25519");
    const ephemeralPublic = publicBytesOf(ephemeral.publicKey);
    const ephemeralShared = agree(ephemeral.privateKey, remote);
    invariant(ephemeralShared !== undefined, "a parsed public key is no point of low order");
    let transcript = hash(startHash, ephemeralPublic);
    let [chain] = kdf(PROTOCOL_HASH, ephemeralPublic);
    let key: Bytes;
    [chain, key] = kdf(chain, ephemeralShared);
    const sealedStatic = seal(key, 0n, parties.ownPublic, transcript);
    transcript = hash(transcript, sealedStatic);
    [chain, key] = kdf(chain, staticShared ?? EMPTY);
    const sealedPayload = seal(key, 0n, payload, transcript);
    transcript = hash(transcript, sealedPayload);
    const state = { chain, transcript, ephemeralSecret: ephemeral.privateKey };
    const message = Buffer.concat([ephemeralPublic, sealedStatic, sealedPayload]);
    return { message, finish: (response) => finish(response, state) };
  }

  function finish(response: Bytes, state: AttemptState): NoiseSession | undefined {
    if (response.length < KEY_BYTES + TAG_BYTES) return undefined;
    const remoteEphemeral = response.subarray(0, KEY_BYTES);
    const remoteObject = publicObject(remoteEphemeral);
    const ephemeralShared = agree(state.ephemeralSecret, remoteObject);
    const mixedShared = agree(parties.ownSecret, remoteObject);
    if (ephemeralShared === undefined || mixedShared === undefined) return undefined;
    let transcript = hash(state.transcript, remoteEphemeral);
    let [chain] = kdf(state.chain, remoteEphemeral);
    [chain] = kdf(chain, ephemeralShared);
    [chain] = kdf(chain, mixedShared);
    const [chained, mixed, key] = kdf(chain, parties.presharedKey);
    transcript = hash(transcript, mixed);
    const payload = unseal(key, 0n, response.subarray(KEY_BYTES), transcript);
    if (payload === undefined) return undefined;
    const [sendKey, receiveKey] = kdf(chained, EMPTY);
    return { sendKey, receiveKey, payload };
  }

  return { begin };
}

type AttemptState = {
  readonly chain: Bytes;
  readonly transcript: Bytes;
  readonly ephemeralSecret: KeyObject;
};
