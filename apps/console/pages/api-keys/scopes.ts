import { type Access, api, listRoutes, type Role, type Scope } from "@securewave/contracts";

interface ScopeText {
  readonly scope: Scope;
  readonly text: string;
}

export interface ScopeGroup {
  readonly title: string;
  readonly scopes: readonly ScopeText[];
}

const GROUPS: readonly ScopeGroup[] = [
  {
    title: "Your own",
    scopes: [
      { scope: "account:read", text: "See your account: mail address, role and state" },
      { scope: "devices:read", text: "See your devices, their state and their configs" },
      { scope: "devices:write", text: "Add, rename, move, revoke and remove your devices" },
      { scope: "servers:read", text: "See the servers that you can choose from" },
    ],
  },
  {
    title: "The service",
    scopes: [
      { scope: "fleet:read", text: "See nodes, totals and figures" },
      { scope: "fleet:write", text: "Register, change, drain and remove nodes" },
      { scope: "settings:read", text: "See the settings" },
      { scope: "settings:write", text: "Change the settings" },
      { scope: "backups:read", text: "See backups" },
      { scope: "backups:write", text: "Make, verify and remove backups" },
    ],
  },
  {
    title: "People and security",
    scopes: [
      { scope: "accounts:read", text: "See all accounts" },
      { scope: "accounts:write", text: "Add accounts, change roles, suspend" },
      { scope: "blocks:read", text: "See which origins are blocked" },
      { scope: "blocks:write", text: "Block origins and lift blocks" },
      { scope: "audit:read", text: "Read and export the audit trail" },
    ],
  },
];

const ACCESS_OF: Readonly<Record<Role, readonly Access[]>> = {
  customer: ["anyone", "account"],
  support: ["anyone", "account", "staff"],
  admin: ["anyone", "account", "staff", "admin"],
};

const ROUTES = listRoutes(api).map(({ route }) => route);

/** The scopes that do anything for an account of this role: a key never allows more than its account may. */
export function scopesFor(role: Role): ScopeGroup[] {
  const mayUse = (scope: Scope) =>
    ROUTES.some((route) => route.scope === scope && ACCESS_OF[role].includes(route.access));
  return GROUPS.map(({ title, scopes }) => ({
    title,
    scopes: scopes.filter(({ scope }) => mayUse(scope)),
  })).filter(({ scopes }) => scopes.length > 0);
}

/** The text of every scope, in the order of the groups. */
export const SCOPE_TEXTS: readonly ScopeText[] = GROUPS.flatMap(({ scopes }) => scopes);
