import { createRootRoute, createRoute, createRouter, notFound, redirect } from "@tanstack/react-router";
import { session } from "./api.ts";
import { parseAuditFilter } from "./audit-filter.ts";
import { parseFleetFilter } from "./fleet-filter.ts";
import { Root } from "./layout/root.tsx";
import { RouteError } from "./layout/route-error.tsx";
import { VisitorLayout } from "./layout/visitor-layout.tsx";
import { lazyPage } from "./lazy-page.ts";
import { noteNavigation } from "./navigation.ts";
import { parseOwnPath } from "./own-path.ts";
import { queryClient, serviceQuery } from "./queries.ts";

function parseText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** What is wrong is set to undefined and not left out: the router puts in for what is missing what it was given. */
const searchable = (raw: Record<string, unknown>): { search?: string | undefined } => ({
  search: parseText(raw.search),
});

const root = createRootRoute({
  component: Root,
  notFoundComponent: lazyPage(() => import("./pages/not-found/not-found-page.tsx"), "NotFoundPage"),
  beforeLoad: async () => {
    if (session.state().status === "unknown") await session.restore();
  },
});

const index = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    const state = session.state();
    const isStaff = state.status === "loggedIn" && state.account.role !== "customer";
    throw redirect({ to: isStaff ? "/admin" : "/devices", replace: true });
  },
});

const visitor = createRoute({ getParentRoute: () => root, id: "visitor", component: VisitorLayout });

const logIn = createRoute({
  getParentRoute: () => visitor,
  path: "/log-in",
  validateSearch: (raw: Record<string, unknown>): { next?: string | undefined } => ({
    next: parseOwnPath(raw.next),
  }),
  beforeLoad: ({ search }) => {
    if (session.state().status === "loggedIn")
      throw redirect({ href: parseOwnPath(search.next) ?? "/", replace: true });
  },
  component: lazyPage(() => import("./pages/log-in/log-in-page.tsx"), "LogInPage"),
});

const signUp = createRoute({
  getParentRoute: () => visitor,
  path: "/sign-up",
  beforeLoad: () => {
    if (session.state().status === "loggedIn") throw redirect({ to: "/", replace: true });
  },
  component: lazyPage(() => import("./pages/sign-up/sign-up-page.tsx"), "SignUpPage"),
});

const forgot = createRoute({
  getParentRoute: () => visitor,
  path: "/forgot",
  component: lazyPage(() => import("./pages/forgot/forgot-page.tsx"), "ForgotPage"),
});

const reset = createRoute({
  getParentRoute: () => visitor,
  path: "/reset",
  component: lazyPage(() => import("./pages/reset/reset-page.tsx"), "ResetPage"),
});

const verify = createRoute({
  getParentRoute: () => visitor,
  path: "/verify",
  component: lazyPage(() => import("./pages/verify/verify-page.tsx"), "VerifyPage"),
});

const setUp = createRoute({
  getParentRoute: () => visitor,
  path: "/setup",
  component: lazyPage(() => import("./pages/set-up/set-up-page.tsx"), "SetUpPage"),
});

const account = createRoute({
  getParentRoute: () => root,
  id: "account",
  beforeLoad: ({ location }) => {
    if (session.state().status === "loggedIn") return;
    const next = hasLeft ? undefined : parseOwnPath(location.href);
    throw redirect({
      to: "/log-in",
      search: next === undefined || next === "/" ? {} : { next },
      replace: true,
    });
  },
  component: lazyPage(() => import("./layout/account-layout.tsx"), "AccountLayout"),
});

const devices = createRoute({
  getParentRoute: () => account,
  path: "/devices",
  validateSearch: searchable,
  component: lazyPage(() => import("./pages/devices/devices-page.tsx"), "DevicesPage"),
});

const newDevice = createRoute({
  getParentRoute: () => account,
  path: "/devices/new",
  validateSearch: (
    raw: Record<string, unknown>,
  ): { server?: string | undefined; region?: string | undefined } => ({
    server: parseText(raw.server),
    region: parseText(raw.region),
  }),
  component: lazyPage(() => import("./pages/new-device/new-device-page.tsx"), "NewDevicePage"),
});

const device = createRoute({
  getParentRoute: () => account,
  path: "/devices/$id",
  component: lazyPage(() => import("./pages/device/device-page.tsx"), "DevicePage"),
});

const servers = createRoute({
  getParentRoute: () => account,
  path: "/servers",
  component: lazyPage(() => import("./pages/servers/servers-page.tsx"), "ServersPage"),
});

const ownAccount = createRoute({
  getParentRoute: () => account,
  path: "/account",
  component: lazyPage(() => import("./pages/account/account-page.tsx"), "AccountPage"),
});

const usage = createRoute({
  getParentRoute: () => account,
  path: "/account/usage",
  component: lazyPage(() => import("./pages/usage/usage-page.tsx"), "UsagePage"),
});

const security = createRoute({
  getParentRoute: () => account,
  path: "/account/security",
  component: lazyPage(() => import("./pages/security/security-page.tsx"), "SecurityPage"),
});

const privacy = createRoute({
  getParentRoute: () => account,
  path: "/account/privacy",
  component: lazyPage(() => import("./pages/privacy/privacy-page.tsx"), "PrivacyPage"),
});

const apiKeys = createRoute({
  getParentRoute: () => account,
  path: "/account/api-keys",
  component: lazyPage(() => import("./pages/api-keys/api-keys-page.tsx"), "ApiKeysPage"),
});

const newApiKey = createRoute({
  getParentRoute: () => account,
  path: "/account/api-keys/new",
  component: lazyPage(() => import("./pages/api-keys/new-api-key-page.tsx"), "NewApiKeyPage"),
});

/** To customers, the operator's pages do not exist. The API decides who may do what; this only spares a refusal. */
const staff = createRoute({
  getParentRoute: () => account,
  id: "staff",
  beforeLoad: () => {
    const state = session.state();
    if (state.status === "loggedIn" && state.account.role === "customer") throw notFound();
  },
});

const overview = createRoute({
  getParentRoute: () => staff,
  path: "/admin",
  component: lazyPage(() => import("./pages/admin-overview/overview-page.tsx"), "OverviewPage"),
});

const nodes = createRoute({
  getParentRoute: () => staff,
  path: "/admin/nodes",
  validateSearch: parseFleetFilter,
  component: lazyPage(() => import("./pages/nodes/nodes-page.tsx"), "NodesPage"),
});

const newNode = createRoute({
  getParentRoute: () => staff,
  path: "/admin/nodes/new",
  component: lazyPage(() => import("./pages/new-node/new-node-page.tsx"), "NewNodePage"),
});

const node = createRoute({
  getParentRoute: () => staff,
  path: "/admin/nodes/$id",
  component: lazyPage(() => import("./pages/node/node-page.tsx"), "NodePage"),
});

const users = createRoute({
  getParentRoute: () => staff,
  path: "/admin/users",
  validateSearch: searchable,
  component: lazyPage(() => import("./pages/users/users-page.tsx"), "UsersPage"),
});

const blocks = createRoute({
  getParentRoute: () => staff,
  path: "/admin/blocks",
  component: lazyPage(() => import("./pages/blocks/blocks-page.tsx"), "BlocksPage"),
});

const plans = createRoute({
  getParentRoute: () => staff,
  path: "/admin/plans",
  component: lazyPage(() => import("./pages/plans/plans-page.tsx"), "PlansPage"),
});

const privacyRequests = createRoute({
  getParentRoute: () => staff,
  path: "/admin/privacy-requests",
  component: lazyPage(() => import("./pages/privacy-requests/requests-page.tsx"), "PrivacyRequestsPage"),
});

const health = createRoute({
  getParentRoute: () => staff,
  path: "/admin/health",
  component: lazyPage(() => import("./pages/health/health-page.tsx"), "HealthPage"),
});

const database = createRoute({
  getParentRoute: () => staff,
  path: "/admin/database",
  component: lazyPage(() => import("./pages/database/database-page.tsx"), "DatabasePage"),
});

const alerts = createRoute({
  getParentRoute: () => staff,
  path: "/admin/alerts",
  component: lazyPage(() => import("./pages/alerts/alerts-page.tsx"), "AlertsPage"),
});

const sla = createRoute({
  getParentRoute: () => staff,
  path: "/admin/sla",
  component: lazyPage(() => import("./pages/sla/sla-page.tsx"), "SlaPage"),
});

const status = createRoute({
  getParentRoute: () => staff,
  path: "/admin/status",
  component: lazyPage(() => import("./pages/status/status-page.tsx"), "StatusPage"),
});

const drills = createRoute({
  getParentRoute: () => staff,
  path: "/admin/drills",
  component: lazyPage(() => import("./pages/drills/drills-page.tsx"), "DrillsPage"),
});

/** The same for what only admins may see. */
const admins = createRoute({
  getParentRoute: () => staff,
  id: "admins",
  beforeLoad: () => {
    const state = session.state();
    if (state.status === "loggedIn" && state.account.role !== "admin") throw notFound();
  },
});

const audit = createRoute({
  getParentRoute: () => admins,
  path: "/admin/audit",
  validateSearch: parseAuditFilter,
  component: lazyPage(() => import("./pages/audit/audit-page.tsx"), "AuditPage"),
});

const keys = createRoute({
  getParentRoute: () => admins,
  path: "/admin/keys",
  component: lazyPage(() => import("./pages/keys/keys-page.tsx"), "KeysPage"),
});

const settings = createRoute({
  getParentRoute: () => admins,
  path: "/admin/settings",
  component: lazyPage(() => import("./pages/settings/settings-page.tsx"), "SettingsPage"),
});

const backups = createRoute({
  getParentRoute: () => admins,
  path: "/admin/backups",
  component: lazyPage(() => import("./pages/backups/backups-page.tsx"), "BackupsPage"),
});

const jobs = createRoute({
  getParentRoute: () => admins,
  path: "/admin/jobs",
  component: lazyPage(() => import("./pages/jobs/jobs-page.tsx"), "JobsPage"),
});

const job = createRoute({
  getParentRoute: () => admins,
  path: "/admin/jobs/$name",
  component: lazyPage(() => import("./pages/jobs/job-page.tsx"), "JobPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    index,
    visitor.addChildren([logIn, signUp, forgot, reset, verify, setUp]),
    account.addChildren([
      devices,
      newDevice,
      device,
      servers,
      ownAccount,
      usage,
      security,
      privacy,
      apiKeys,
      newApiKey,
      staff.addChildren([
        overview,
        nodes,
        newNode,
        node,
        users,
        plans,
        blocks,
        privacyRequests,
        health,
        database,
        alerts,
        sla,
        status,
        drills,
        admins.addChildren([audit, keys, settings, jobs, job, backups]),
      ]),
    ]),
  ]),
  defaultPreload: "intent",
  defaultErrorComponent: RouteError,
  scrollRestoration: true,
});

router.subscribe("onBeforeNavigate", ({ fromLocation, pathChanged }) => {
  if (fromLocation && pathChanged) noteNavigation();
});

let shownAccount: string | undefined;
/** Whether the reader logged out here, and so is not to be led back. */
let hasLeft = false;

session.subscribe(() => {
  const state = session.state();
  const account = state.status === "loggedIn" ? state.account.id : undefined;
  if (state.status === "visitor") hasLeft = !state.wasEnded && shownAccount !== undefined;
  if (account === shownAccount) return;
  const before = shownAccount;
  shownAccount = account;
  // The pages leave first: emptied under them, they would ask for everything once more.
  void router.invalidate().then(() => {
    if (account === undefined) queryClient.removeQueries({ predicate: isPersonal });
    else if (before !== undefined) void queryClient.resetQueries({ predicate: isPersonal });
  });
});

/** What the service tells any visitor stays: the log-in page shows it. */
function isPersonal({ queryKey }: { readonly queryKey: readonly unknown[] }): boolean {
  return queryKey[0] !== serviceQuery.queryKey[0];
}

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
