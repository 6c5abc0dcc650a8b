import { hash, verify } from "@node-rs/argon2";

/** OWASP Password Storage Cheat Sheet: Argon2id (the library's default) with 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

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
