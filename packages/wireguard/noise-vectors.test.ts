import { createPublicKey } from "node:crypto";
import { blake2s } from "@noble/hashes/blake2.js";
import { expect, test } from "vitest";
import { publicBytesOf, publicObject, secretObject } from "./native-keys.ts";
import { createNoiseInitiator } from "./noise.ts";
import {
  agree,
  hash,
  mac,
  seal,
  sealWithNonce,
  unseal,
  unsealExtended,
  unsealWithNonce,
} from "./noise-primitives.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ""), "hex");
const EMPTY = new Uint8Array(0);

/** RFC 8439 §2.8.2, and the draft of XChaCha uses it again. */
const SUNSCREEN = Buffer.from(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);
const SUNSCREEN_DATA = hex("50515253c0c1c2c3c4c5c6c7");
const SUNSCREEN_KEY = hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");

test("X25519 agrees as in RFC 7748 §6.1", () => {
  const alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  const alicePublic = publicOf(alice);
  const bobPublic = publicOf(bob);
  expect(alicePublic).toEqual(hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
  expect(bobPublic).toEqual(hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
  expect(agree(secretObject(alice), publicObject(bobPublic))).toEqual(shared);
  expect(agree(secretObject(bob), publicObject(alicePublic))).toEqual(shared);
});

test("ChaCha20-Poly1305 seals as in RFC 8439 §2.8.2", () => {
  const nonce = hex("070000004041424344454647");
  const sealed = hex(
    `d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6
     3dbea45e8ca9671282fafb69da92728b 1a71de0a9e060b2905d6a5b67ecd3b36
     92ddbd7f2d778b8c9803aee328091b58 fab324e4fad675945585808b4831d7bc
     3ff4def08e4b7a9de576d26586cec64b 6116 1ae10b594f09e26a7e902ecbd0600691`,
  );
  expect(sealWithNonce(SUNSCREEN_KEY, nonce, SUNSCREEN, SUNSCREEN_DATA)).toEqual(sealed);
  expect(unsealWithNonce(SUNSCREEN_KEY, nonce, sealed, SUNSCREEN_DATA)).toEqual(SUNSCREEN);
  expect(unsealWithNonce(SUNSCREEN_KEY, nonce, sealed, EMPTY)).toBeUndefined();
});

test("XChaCha20-Poly1305 opens what draft-irtf-cfrg-xchacha-03 §A.3.1 sealed", () => {
  const nonce = hex("404142434445464748494a4b4c4d4e4f5051525354555657");
  const sealed = hex(
    `bd6d179d3e83d43b9576579493c0e939 572a1700252bfaccbed2902c21396cbb
     731c7f1b0b4aa6440bf3a82f4eda7e39 ae64c6708c54c216cb96b72e1213b452
     2f8c9ba40db5d945b11b69b982c1bb9e 3f3fac2bc369488f76b2383565d3fff9
     21f9664c97637da9768812f615c68b13 b52e c0875924c1c7987947deafd8780acf49`,
  );
  expect(Buffer.from(unsealExtended(SUNSCREEN_KEY, nonce, sealed, SUNSCREEN_DATA) ?? [])).toEqual(SUNSCREEN);
  expect(unsealExtended(SUNSCREEN_KEY, nonce, sealed, EMPTY)).toBeUndefined();
});

test("BLAKE2s hashes as in RFC 7693 §B", () => {
  expect(hash(Buffer.from("abc"))).toEqual(
    hex("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"),
  );
});

test("BLAKE2s passes the self-test of RFC 7693 §E, with and without a key", () => {
  const digests: Uint8Array[] = [];
  for (const macBytes of [16, 20, 28, 32]) {
    for (const inputBytes of [0, 3, 64, 65, 255, 1024]) {
      const input = selfTestBytes(inputBytes, inputBytes);
      digests.push(macBytes === 32 ? hash(input) : blake2s(input, { dkLen: macBytes }));
      digests.push(mac(selfTestBytes(macBytes, macBytes), input, macBytes));
    }
  }
  expect(hash(...digests)).toEqual(hex("6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe"));
});

/** The published vector of this protocol, as cacophony made it and snow, noise-c and others check themselves against. */
const NOISE = {
  prologue: hex("4a6f686e2047616c74"),
  presharedKey: hex("54686973206973206d7920417573747269616e20706572737065637469766521"),
  initiatorStatic: hex("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1"),
  initiatorEphemeral: hex("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"),
  responderPublic: hex("31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62"),
  first: {
    payload: hex("4c756477696720766f6e204d69736573"),
    message: hex(
      `ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944 001e21de9f98ddd8e2ad57527207feb5
       6253c9c94a9e496782ecfcb2a75fbcaf1b52948cc48daefe660c62119ab50009 80c84831215f2441eba616548e832985
       464cf17e51ee93109008399a21f7e13f`,
    ),
  },
  second: {
    payload: hex("4d757272617920526f746862617264"),
    message: hex(
      `95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843
       cb765f2caef0751b8f007572dab0322217755c0632f365717edbf34d33e87a`,
    ),
  },
  /** From the initiator and the responder in turns. */
  transport: [
    ["462e20412e20486179656b", "8153ca9833bc3c1b91a7e66e5f4d4f5b59bf9e64c2f20d15f0bba7"],
    ["4361726c204d656e676572", "07af0c9c86e1b4e80f36b04ff7688d51141af3debd0332f0a705ef"],
    [
      "4a65616e2d426170746973746520536179",
      "6ab1467c0448cc78394494abaaf23afce0e234315d6e2624dcbfa8a21c1c4d073d",
    ],
    [
      "457567656e2042f6686d20766f6e2042617765726b",
      "dfc346c0d2296ae6cf1acf6f12b8456a1dba228cf8d8b774aacf1c47fc53aa80ebc7a4c292",
    ],
  ] as const,
};

test("a handshake is that of the published vector of Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s", () => {
  const attempt = beginNoise(NOISE.presharedKey);
  expect(attempt.message).toEqual(NOISE.first.message);
  const session = attempt.finish(NOISE.second.message);
  expect(session?.payload).toEqual(NOISE.second.payload);
  if (session === undefined) throw new Error("no session");
  for (const [at, [plain, sealed]] of NOISE.transport.entries()) {
    const counter = BigInt(at >> 1);
    if (at % 2 === 0) expect(seal(session.sendKey, counter, hex(plain), EMPTY)).toEqual(hex(sealed));
    else expect(unseal(session.receiveKey, counter, hex(sealed), EMPTY)).toEqual(hex(plain));
  }
});

test("a response is refused when one bit differs, when it is short, and under another preshared key", () => {
  const { message } = NOISE.second;
  for (const [at, byte] of message.entries()) {
    const forged = Buffer.from(message);
    forged[at] = byte ^ 1;
    expect(beginNoise(NOISE.presharedKey).finish(forged), `byte ${at}`).toBeUndefined();
  }
  expect(beginNoise(NOISE.presharedKey).finish(message.subarray(0, 47))).toBeUndefined();
  expect(beginNoise(new Uint8Array(32)).finish(message)).toBeUndefined();
});

test("a response with a point of low order is refused", () => {
  const forged = Buffer.from(NOISE.second.message);
  forged.fill(0, 0, 32);
  expect(beginNoise(NOISE.presharedKey).finish(forged)).toBeUndefined();
});

function beginNoise(presharedKey: Uint8Array) {
  const privateKey = secretObject(NOISE.initiatorEphemeral);
  return createNoiseInitiator({
    prologue: NOISE.prologue,
    ownSecret: secretObject(NOISE.initiatorStatic),
    ownPublic: publicOf(NOISE.initiatorStatic),
    remotePublic: NOISE.responderPublic,
    presharedKey,
  }).begin(NOISE.first.payload, { privateKey, publicKey: createPublicKey(privateKey) });
}

function publicOf(secret: Buffer): Buffer {
  return publicBytesOf(createPublicKey(secretObject(secret)));
}

/** RFC 7693 §E, `selftest_seq`: a Fibonacci generator. */
function selfTestBytes(bytes: number, seed: number): Buffer {
  let [a, b] = [Math.imul(0xdead4bad, seed) >>> 0, 1];
  const sequence = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) {
    [a, b] = [b, (a + b) >>> 0];
    sequence[at] = b >>> 24;
  }
  return sequence;
}
