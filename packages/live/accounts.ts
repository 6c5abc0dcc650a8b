import { invariant } from "@securewave/foundation";

/** Bytes that are not settled yet, by account. Accounts have small numbers, so that a hundred thousand cost little. */
export interface Accounts {
  /** The account's number; made at first use. */
  numberOf(accountId: string): number;
  find(accountId: string): number | undefined;
  /** Undefined for a number that is free. */
  idOf(number: number): string | undefined;
  bytesOf(number: number): number;
  add(number: number, bytes: number): void;
  /** Public keys that slots of the account have; a key on two nodes is there twice. */
  keysOf(number: number): readonly string[];
  addKey(number: number, publicKey: string): void;
  removeKey(number: number, publicKey: string): void;
  /** Frees the number of an account that has neither keys nor bytes. */
  tidy(number: number): void;
  forEach(each: (accountId: string, bytes: number) => void): void;
}

const CAPACITY_FIRST = 64;

export function createAccounts(): Accounts {
  const numbers = new Map<string, number>();
  const ids: (string | undefined)[] = [];
  const keys: string[][] = [];
  const free: number[] = [];
  let bytes = new Float64Array(CAPACITY_FIRST);

  function make(accountId: string): number {
    const number = free.pop() ?? ids.length;
    if (number >= bytes.length) {
      const wider = new Float64Array(2 * bytes.length);
      wider.set(bytes);
      bytes = wider;
    }
    bytes[number] = 0;
    ids[number] = accountId;
    keys[number] = [];
    numbers.set(accountId, number);
    return number;
  }

  return {
    numberOf: (accountId) => numbers.get(accountId) ?? make(accountId),
    find: (accountId) => numbers.get(accountId),
    idOf: (number) => ids[number],
    bytesOf: (number) => bytes[number] ?? 0,
    add(number, more) {
      bytes[number] = (bytes[number] ?? 0) + more;
    },
    keysOf: (number) => keys[number] ?? [],
    addKey(number, publicKey) {
      keys[number]?.push(publicKey);
    },
    removeKey(number, publicKey) {
      const held = keys[number];
      invariant(held, "a key is taken from an account that has it");
      const at = held.indexOf(publicKey);
      if (at >= 0) held.splice(at, 1);
    },
    tidy(number) {
      const id = ids[number];
      if (id === undefined || bytes[number] !== 0 || keys[number]?.length !== 0) return;
      numbers.delete(id);
      ids[number] = undefined;
      free.push(number);
    },
    forEach(each) {
      for (const [id, number] of numbers) {
        const held = bytes[number] ?? 0;
        if (held > 0) each(id, held);
      }
    },
  };
}
