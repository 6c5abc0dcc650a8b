import type { Account as AccountView } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import type { Selectable } from "kysely";

export type Account = Selectable<Tables["accounts"]>;

/** Mail addresses are told apart without case, as people do. */
export function normalizeEmail(email: string): string {
  return email.toLowerCase();
}

export function viewOf({ id, email, role, state, created_on }: Account): AccountView {
  return { id, email, role, state, created_on };
}
