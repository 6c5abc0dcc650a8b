import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openCheckpoint, parseCheckpoint, signCheckpoint } from "./checkpoint.ts";
import { formatVerifier, openNote, parseVerifier, rawPublicKey, signNote } from "./note.ts";

/** The example of https://pkg.go.dev/golang.org/x/mod/sumdb/note, whose format C2SP has taken over. */
const NEUMANN = {
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature: "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=",
  verifier: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  signer: "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
};
const NEUMANN_NOTE = `${NEUMANN.text}\n— PeterNeumann ${NEUMANN.signature}\n`;
const neumann = parseVerifier(NEUMANN.verifier);

/** A checkpoint that a public log of Sigsum gave out, with its key: sigsum log-go, "add checkpoint support". */
const SIGSUM = {
  verifier: "sigsum.org:testonly+8de2c54b+AYzzrIWq3UKJHFrprvJyRMsqVGojEvgAIKrT8q4a9zMU",
  text: "sigsum.org:testonly\n23\nHSt6W8ve4/36xAIf04qDOqaKLaKqSOUqKxLNrkK74+g=\n",
  note: `sigsum.org:testonly
23
HSt6W8ve4/36xAIf04qDOqaKLaKqSOUqKxLNrkK74+g=

— sigsum.org:testonly jeLFS4WQDEeTavbiYArHzCQUPXbQ1Y/V8/dKJlBxqOAY4eLhSh3uWNJ8YXp1vs/zR4SDNHI+6UybLmHmFlg/VSf5OAs=
`,
};

describe("published examples", () => {
  test("the note of Go's documentation is written as it stands there, and opens", () => {
    expect(neumann && formatVerifier(neumann)).toBe(NEUMANN.verifier);
    const seed = Buffer.from(NEUMANN.signer, "base64").subarray(1);
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]); // RFC 8410 §7
    const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    expect(signNote(NEUMANN.text, "PeterNeumann", privateKey)).toBe(NEUMANN_NOTE);
    expect(neumann && openNote(NEUMANN_NOTE, neumann)).toBe(NEUMANN.text);
  });

  test("a checkpoint of a public log opens", () => {
    const verifier = parseVerifier(SIGSUM.verifier);
    expect(verifier && formatVerifier(verifier)).toBe(SIGSUM.verifier);
    expect(verifier && openCheckpoint(SIGSUM.note, verifier)).toEqual({
      origin: "sigsum.org:testonly",
      size: 23,
      root: Buffer.from("HSt6W8ve4/36xAIf04qDOqaKLaKqSOUqKxLNrkK74+g=", "base64"),
    });
  });

  test("the text of the example in C2SP's tlog-checkpoint reads as what it says", () => {
    const text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    expect(parseCheckpoint(text)).toMatchObject({ origin: "example.com/behind-the-sofa", size: 20_852_163 });
  });
});

const { privateKey } = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519").privateKey;
const verifier = { name: "vpn.example.org/audit", publicKey: rawPublicKey(privateKey) };
const root = Buffer.alloc(32, 7);
const note = signCheckpoint({ origin: verifier.name, size: 8, root }, privateKey);

describe("a checkpoint", () => {
  test("opens with the key that it was signed with, and that key has a text of its own", () => {
    expect(note.split("\n").slice(0, 3)).toEqual([verifier.name, "8", root.toString("base64")]);
    expect(openCheckpoint(note, verifier)).toEqual({ origin: verifier.name, size: 8, root });
    expect(parseVerifier(formatVerifier(verifier))).toEqual(verifier);
  });

  test("opens also when others have signed it too, known or not", () => {
    const own = note.slice(0, note.indexOf("\n\n") + 1);
    const witness = signNote(own, "witness.example", stranger).split("\n").at(-2);
    expect(openCheckpoint(`${note}${witness}\n`, verifier)?.size).toBe(8);
    expect(openCheckpoint(`${own}\n${witness}\n`, verifier)).toBeUndefined();
  });

  test.each([
    ["with another size", note.replace("\n8\n", "\n9\n")],
    ["with a line more", note.replace("\n8\n", "\n8\n8\n")],
    ["with a line of its own between", note.replace("\n\n", "\n\nread this\n")],
    ["without its last newline", note.trimEnd()],
    ["with a control character", note.replace("\n8\n", "\n8\r\n")],
    ["without a signature", note.slice(0, note.indexOf("\n\n") + 2)],
    [
      "with a second signature of its key that is wrong",
      `${note}${note.split("\n").at(-2)?.replace(/.{6}$/, "AAAAA=")}\n`,
    ],
    [
      "signed by another key of the same name",
      signCheckpoint({ origin: verifier.name, size: 8, root }, stranger),
    ],
    [
      "of another log that its key has signed",
      signNote(`other.example\n8\n${root.toString("base64")}\n`, verifier.name, privateKey),
    ],
    ["that is none, though signed", signNote("vpn.example.org/audit\n8\n", verifier.name, privateKey)],
    [
      "with a size that is written otherwise",
      signNote(`${verifier.name}\n08\n${root.toString("base64")}\n`, verifier.name, privateKey),
    ],
    ["with a root of another length", signNote(`${verifier.name}\n8\nAAAA\n`, verifier.name, privateKey)],
    ["that is empty", ""],
  ])("%s opens to nobody", (_, changed) => {
    expect(openCheckpoint(changed, verifier)).toBeUndefined();
  });

  test("with any one character changed opens to nobody, or says the same", () => {
    fc.assert(
      fc.property(fc.nat(note.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const changed = note.slice(0, at) + character + note.slice(at + 1);
        const opened = openCheckpoint(changed, verifier);
        if (opened) expect(changed).toBe(note);
      }),
    );
  });
});

test("a text that is no verifier key is none", () => {
  const good = NEUMANN.verifier;
  const wrong = [
    "",
    "a+b+c",
    good.replace("c74f20a3", "c74f20a4"),
    good.replace("Peter", "Petra"),
    good.slice(0, -4),
  ];
  for (const text of wrong) expect(parseVerifier(text)).toBeUndefined();
  expect(parseVerifier(` ${good}\n`)).toEqual(neumann);
});
