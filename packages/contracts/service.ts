import { defineErrors } from "@securewave/foundation";
import { Type } from "typebox";
import { accountErrors } from "./accounts.ts";
import { defineRoute } from "./route.ts";
import { Email, HumanText, NewPassword, Nullable, OneOf, Strict } from "./schemas.ts";
import { BrowserSession } from "./sessions.ts";
import { MaintenanceMode } from "./status.ts";

export const serviceErrors = defineErrors("service", {
  setupDone: { status: 409, message: "The first admin exists already. Log in instead." },
  setupTokenInvalid: {
    status: 403,
    message: "This set-up link is not valid. Restart SecureWave: it prints a fresh one.",
  },
});

const CheckResult = Type.String({ description: "`connected`, or what is wrong" });
const InTrouble = Type.Optional(Type.String({ description: "Only where it is in trouble" }));

export const Health = Strict({
  status: OneOf(["healthy", "degraded", "unhealthy"]),
  timestamp: Type.String({ format: "date-time" }),
  checks: Strict({
    database: CheckResult,
    redis: CheckResult,
    vpn_servers: CheckResult,
    zero_log: Type.Optional(Type.String({ description: "Only where the search for traces is in trouble" })),
    jobs: InTrouble,
    backups: InTrouble,
    disk: InTrouble,
    clock: InTrouble,
    certificate: InTrouble,
  }),
});

export const Metrics = Strict({
  api_response_time_ms: Strict({ avg: Type.Number(), p95: Type.Number(), p99: Type.Number() }),
  active_connections: Type.String({
    description: "VPN connections in a range, so that one person cannot be seen",
  }),
  database_connections: Type.Integer(),
  cache_hit_rate: Type.Number({ minimum: 0, maximum: 1 }),
});

export const Settings = Strict({
  service_name: HumanText(40),
  registration: OneOf(["open", "closed"]),
  devices_per_account_max: Type.Integer({ minimum: 1, maximum: 1000 }),
});

const SettingsChange = Strict(
  {
    service_name: Type.Optional(Settings.properties.service_name),
    registration: Type.Optional(Settings.properties.registration),
    devices_per_account_max: Type.Optional(Settings.properties.devices_per_account_max),
  },
  { minProperties: 1 },
);

const healthRoute = {
  method: "GET",
  access: "anyone",
  tag: "service",
  success: { status: 200, schema: Health, alsoWith: [503] },
  errors: [],
} as const;

export const service = {
  health: defineRoute({
    ...healthRoute,
    path: "/api/health",
    summary: "Tells whether the service works; 503 with the same body when it does not",
  }),
  healthShort: defineRoute({ ...healthRoute, path: "/health", summary: "The same under a shorter path" }),
  live: defineRoute({
    method: "GET",
    path: "/api/health/live",
    access: "anyone",
    tag: "service",
    summary: "Tells that the process runs",
    success: { status: 200, schema: Strict({ status: OneOf(["alive"]) }) },
    errors: [],
  }),
  ready: defineRoute({
    method: "GET",
    path: "/api/health/ready",
    access: "anyone",
    tag: "service",
    summary: "Tells whether requests can be served; 503 while they cannot",
    success: { status: 200, schema: Strict({ status: OneOf(["ready", "not_ready"]) }), alsoWith: [503] },
    errors: [],
  }),
  metrics: defineRoute({
    method: "GET",
    path: "/api/metrics",
    access: "staff",
    scope: "fleet:read",
    tag: "service",
    summary: "Figures of the last minutes",
    success: { status: 200, schema: Metrics },
    errors: [],
  }),
  info: defineRoute({
    method: "GET",
    path: "/api/service",
    access: "anyone",
    tag: "service",
    summary: "What a visitor needs to know before logging in",
    success: {
      status: 200,
      schema: Strict({
        name: Type.String(),
        registration: Settings.properties.registration,
        setup_needed: Type.Boolean(),
        policy_version: Type.String({ description: "Of the privacy policy that holds today" }),
        policy_url: Type.String({
          description: "Where it can be read: an address, or a path of this service",
        }),
        maintenance: Type.Optional(
          Strict({
            mode: MaintenanceMode,
            title: Nullable(Type.String()),
            starts_at: Nullable(Type.String({ format: "date-time" })),
            ends_at: Nullable(Type.String({ format: "date-time" })),
          }),
        ),
      }),
    },
    errors: [],
  }),
  setUp: defineRoute({
    method: "POST",
    path: "/api/setup",
    access: "anyone",
    limit: "sensitive",
    tag: "service",
    summary: "Creates the first admin with the token that the program printed",
    body: Strict({ token: Type.String({ maxLength: 100 }), email: Email, password: NewPassword }),
    success: { status: 201, schema: BrowserSession },
    errors: [
      serviceErrors.setupDone,
      serviceErrors.setupTokenInvalid,
      accountErrors.emailInUse,
      accountErrors.weakPassword,
    ],
  }),
  readSettings: defineRoute({
    method: "GET",
    path: "/api/admin/settings",
    access: "admin",
    scope: "settings:read",
    tag: "settings",
    summary: "Shows the settings that admins can change while the service runs",
    success: { status: 200, schema: Settings },
    errors: [],
  }),
  changeSettings: defineRoute({
    method: "PATCH",
    path: "/api/admin/settings",
    access: "admin",
    scope: "settings:write",
    tag: "settings",
    summary: "Changes settings",
    body: SettingsChange,
    success: { status: 200, schema: Settings },
    errors: [],
  }),
};
