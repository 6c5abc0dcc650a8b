/**
 * Under which login a piece of work asks the database. `owner` alone may change the schema; it is the login of
 * DATABASE_URL, and of the embedded store.
 */
export type Login = "owner" | ServiceLogin;
/** What requests, jobs, and the connections of VPN servers are done under. */
export type ServiceLogin = (typeof SERVICE_LOGINS)[number];
export const SERVICE_LOGINS = ["api", "worker", "ingress"] as const;

export interface Role {
  readonly name: string;
  /** One sentence; safe to show. */
  readonly purpose: string;
  readonly login?: ServiceLogin;
  /** May copy the whole server as a standby does, and reads no table by a query. */
  readonly isReplication?: boolean;
}

/** The roles besides the owner. None of them may create, change or drop anything of the schema. */
export const ROLES = [
  { name: "securewave_api", login: "api", purpose: "answers requests" },
  { name: "securewave_worker", login: "worker", purpose: "carries out jobs and what the clock brings" },
  {
    name: "securewave_ingress",
    login: "ingress",
    purpose: "hears from VPN servers; it cannot read accounts and cannot write usage",
  },
  { name: "securewave_backup", isReplication: true, purpose: "copies the server and its log for backups" },
] as const satisfies readonly Role[];

/** Who owns the schema and migrates it, on a PostgreSQL of your own. */
export const OWNER_ROLE = "securewave_migration";

export function roleOf(login: ServiceLogin): string {
  return `securewave_${login}`;
}
