import type { Account as AccountView } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import type { Selectable } from "kysely";
import { type DataKeys, PLACES } from "../data-keys/index.ts";

export type AccountRow = Selectable<Tables["accounts"]>;

/** An account whose sealed columns were opened. */
export interface Account extends Omit<AccountRow, "email_index" | "email_sealed" | "password_sealed"> {
  readonly email: string;
  readonly password_hash: string;
}

/** Mail addresses are told apart without case, as people do. */
export function normalizeEmail(email: string): string {
  return email.toLowerCase();
}

export function viewOf({ id, email, role, state, created_on }: Account): AccountView {
  return { id, email, role, state, created_on };
}

/** @returns undefined where the account's key is forgotten: it is being erased */
export function openAccount(keys: DataKeys, row: AccountRow): Account | undefined {
  if (keys.isForgotten(row.number)) return undefined;
  const { email_index: _, email_sealed, password_sealed, ...rest } = row;
  const key = keys.of(row.number);
  return {
    ...rest,
    email: key.open(PLACES.email, row.id, email_sealed),
    password_hash: key.open(PLACES.password, row.id, password_sealed),
  };
}

/** What is kept of an account, with what its owner gave sealed. */
export function sealAccount(
  keys: DataKeys,
  { email, password_hash, ...rest }: Omit<Account, "devices_active" | "plan_id">,
): Omit<AccountRow, "devices_active" | "plan_id"> {
  const key = keys.of(rest.number);
  return {
    ...rest,
    email_index: keys.emailIndex(email),
    email_sealed: key.seal(PLACES.email, rest.id, email),
    password_sealed: key.seal(PLACES.password, rest.id, password_hash),
  };
}
