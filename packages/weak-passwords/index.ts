import { fileURLToPath } from "node:url";
import { openHashList } from "./hash-list.ts";

/** Tells passwords that a guesser tries early. */
export interface WeakPasswords {
  /** @param email whose password it would be */
  isWeak(password: string, email: string): boolean;
  close(): void;
}

export interface WeakPasswordsOptions {
  /** A further list, such as one of all passwords that leaked; see `scripts/breached-filter.ts`. */
  readonly breachedPath?: string | undefined;
}

/** Some 49,000 frequent passwords in lower case: the dictionary of @zxcvbn-ts/language-common 4.1.3 (MIT). */
const COMMON_PATH = "@securewave/weak-passwords/common-passwords.list";
/** What people put into passwords for this service and no list of others has. */
const OWN_WORDS = new Set(["securewave", "wireguard"]);
const DISTINCT_CHARACTERS_MIN = 5;
/** What is left of a password when a common one is taken out must still be worth something. */
const REST_MIN = 8;
const COMMON_PART_MIN = 5;
const NAME_MIN = 3;
const RUNS = ["01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm"];
const LETTER_OF: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};

/**
 * Opens the lists. A password is weak that is on one, whose better half is a common password, in capitals or with
 * digits for letters, that is little more than the mail address, a run, or a few characters again and again.
 *
 * @throws hash_list.unreadable
 */
export function openWeakPasswords({ breachedPath }: WeakPasswordsOptions = {}): WeakPasswords {
  const common = openHashList(fileURLToPath(import.meta.resolve(COMMON_PATH)));
  const breached = breachedPath === undefined ? undefined : openHashList(breachedPath);

  const isCommon = (text: string) => OWN_WORDS.has(text) || common.has(text);

  /** Tries the parts that are at least half of it and leave too little: 36 at most. */
  function isMostlyCommon(text: string): boolean {
    const lengthMin = Math.max(COMMON_PART_MIN, Math.ceil(text.length / 2), text.length - REST_MIN + 1);
    for (let length = text.length; length >= lengthMin; length--) {
      for (let from = 0; from + length <= text.length; from++)
        if (isCommon(text.slice(from, from + length))) return true;
    }
    return false;
  }

  return {
    isWeak(password, email) {
      const exact = password.normalize("NFKC");
      const plain = exact.toLowerCase();
      const name = email.split("@")[0]?.toLowerCase() ?? "";
      if (new Set(plain).size < DISTINCT_CHARACTERS_MIN) return true;
      if (name.length >= NAME_MIN && plain.replaceAll(name, "").length < REST_MIN) return true;
      if (isRun(plain)) return true;
      if (breached && [password, exact, plain].some((text) => breached.has(text))) return true;
      return (
        isMostlyCommon(plain) ||
        isMostlyCommon(plain.replace(/[013457@$!]/g, (sign) => LETTER_OF[sign] ?? sign))
      );
    },
    close() {
      common.close();
      breached?.close();
    },
  };
}

/** `1234567890`, `abcdefghijk` and their like, in either direction. */
function isRun(text: string): boolean {
  const reversed = [...text].reverse().join("");
  return RUNS.some((run) => run.includes(text) || run.includes(reversed));
}
