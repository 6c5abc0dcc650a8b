import type { Role } from "@securewave/contracts";

export const ROLES: readonly Role[] = ["customer", "support", "admin"];

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  customer: "Customer",
  support: "Support agent",
  admin: "Admin",
};
