import type { Account, Role } from "@securewave/contracts";
import { useSyncExternalStore } from "react";
import { session } from "./api.ts";

/** The account that is logged in; undefined in the moment between log-out and the way to the log-in page. */
export function useAccount(): Account | undefined {
  const state = useSyncExternalStore(session.subscribe, session.state, session.state);
  return state.status === "loggedIn" ? state.account : undefined;
}

export function useRole(): Role {
  return useAccount()?.role ?? "customer";
}

/** Support agents see most of what admins see, and change little of it. */
export function useIsAdmin(): boolean {
  return useRole() === "admin";
}
