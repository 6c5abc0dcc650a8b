import { hash, verify } from "@node-rs/argon2";

/** OWASP Password Storage Cheat Sheet: Argon2id (the library's default) with 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const DISTINCT_CHARACTERS_MIN = 5;
const COMMON =
  /^(?:.*(?:password|passwort|qwertz?uiop|qwerty|letmein|iloveyou|welcome|admin|securewave|dragon|monkey|football|baseball|sunshine|princess|superman|trustno1|starwars|whatever|computer|internet|abc123|1q2w3e4r|zaq12wsx).*)$/;
const RUNS = ["01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm"];
/** What is left of a password when its common word is taken out must still be worth something. */
const REST_MIN = 8;

export function hashPassword(password: string): Promise<string> {
  return hash(password, ARGON2);
}

/** Takes as long for no account as for a wrong password: without a hash, it checks against one of nothing. */
export async function isRightPassword(storedHash: string | undefined, password: string): Promise<boolean> {
  absentHash ??= hashPassword("no such account");
  const isRight = await verify(storedHash ?? (await absentHash), password);
  return storedHash !== undefined && isRight;
}

let absentHash: Promise<string> | undefined;

/** Whether a guesser's first thousand tries would find it. */
export function isWeakPassword(password: string, email: string): boolean {
  const plain = password.toLowerCase();
  const name = email.split("@")[0]?.toLowerCase() ?? "";
  if (new Set(plain).size < DISTINCT_CHARACTERS_MIN) return true;
  if (name.length >= 3 && plain.replaceAll(name, "").length < REST_MIN) return true;
  if (isRun(plain)) return true;
  const common = COMMON.exec(plain);
  return common !== null && plain.replace(/password|passwort|[a-z]+/, "").length < REST_MIN;
}

/** `1234567890`, `abcdefghijk` and their like, in either direction. */
function isRun(text: string): boolean {
  const reversed = [...text].reverse().join("");
  return RUNS.some((run) => run.includes(text) || run.includes(reversed));
}
