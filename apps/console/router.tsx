import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  notFound,
  redirect,
} from "@tanstack/react-router";
import { session } from "./api.ts";
import { Root } from "./layout/root.tsx";
import { RouteError } from "./layout/route-error.tsx";
import { VisitorLayout } from "./layout/visitor-layout.tsx";
import { noteNavigation } from "./navigation.ts";
import { queryClient, serviceQuery } from "./queries.ts";

/** A place to go to after log-in: a path of this console, and nothing that leads elsewhere. */
function parseNext(value: unknown): string | undefined {
  return typeof value === "string" && /^\/(?![/\\])/.test(value) ? value : undefined;
}

function parseText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

const searchable = (raw: Record<string, unknown>): { search?: string } => {
  const search = parseText(raw.search);
  return search === undefined ? {} : { search };
};

const root = createRootRoute({
  component: Root,
  notFoundComponent: lazyRouteComponent(() => import("./pages/not-found/not-found-page.tsx"), "NotFoundPage"),
  beforeLoad: async () => {
    if (session.state().status === "unknown") await session.renew();
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
  validateSearch: (raw: Record<string, unknown>): { next?: string } => {
    const next = parseNext(raw.next);
    return next === undefined ? {} : { next };
  },
  beforeLoad: ({ search }) => {
    if (session.state().status === "loggedIn") throw redirect({ to: search.next ?? "/", replace: true });
  },
  component: lazyRouteComponent(() => import("./pages/log-in/log-in-page.tsx"), "LogInPage"),
});

const signUp = createRoute({
  getParentRoute: () => visitor,
  path: "/sign-up",
  beforeLoad: () => {
    if (session.state().status === "loggedIn") throw redirect({ to: "/", replace: true });
  },
  component: lazyRouteComponent(() => import("./pages/sign-up/sign-up-page.tsx"), "SignUpPage"),
});

const verify = createRoute({
  getParentRoute: () => visitor,
  path: "/verify",
  component: lazyRouteComponent(() => import("./pages/verify/verify-page.tsx"), "VerifyPage"),
});

const setUp = createRoute({
  getParentRoute: () => visitor,
  path: "/setup",
  component: lazyRouteComponent(() => import("./pages/set-up/set-up-page.tsx"), "SetUpPage"),
});

const account = createRoute({
  getParentRoute: () => root,
  id: "account",
  beforeLoad: ({ location }) => {
    if (session.state().status === "loggedIn") return;
    const next = parseNext(location.href);
    throw redirect({
      to: "/log-in",
      search: next === undefined || next === "/" ? {} : { next },
      replace: true,
    });
  },
  component: lazyRouteComponent(() => import("./layout/account-layout.tsx"), "AccountLayout"),
});

const devices = createRoute({
  getParentRoute: () => account,
  path: "/devices",
  validateSearch: searchable,
  component: lazyRouteComponent(() => import("./pages/devices/devices-page.tsx"), "DevicesPage"),
});

const newDevice = createRoute({
  getParentRoute: () => account,
  path: "/devices/new",
  validateSearch: (raw: Record<string, unknown>): { replaces?: string; server?: string } => {
    const replaces = parseText(raw.replaces);
    const server = parseText(raw.server);
    return { ...(replaces && { replaces }), ...(server && { server }) };
  },
  component: lazyRouteComponent(() => import("./pages/new-device/new-device-page.tsx"), "NewDevicePage"),
});

const device = createRoute({
  getParentRoute: () => account,
  path: "/devices/$id",
  component: lazyRouteComponent(() => import("./pages/device/device-page.tsx"), "DevicePage"),
});

const servers = createRoute({
  getParentRoute: () => account,
  path: "/servers",
  component: lazyRouteComponent(() => import("./pages/servers/servers-page.tsx"), "ServersPage"),
});

const ownAccount = createRoute({
  getParentRoute: () => account,
  path: "/account",
  component: lazyRouteComponent(() => import("./pages/account/account-page.tsx"), "AccountPage"),
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
  component: lazyRouteComponent(() => import("./pages/admin-overview/overview-page.tsx"), "OverviewPage"),
});

const nodes = createRoute({
  getParentRoute: () => staff,
  path: "/admin/nodes",
  validateSearch: searchable,
  component: lazyRouteComponent(() => import("./pages/nodes/nodes-page.tsx"), "NodesPage"),
});

const newNode = createRoute({
  getParentRoute: () => staff,
  path: "/admin/nodes/new",
  component: lazyRouteComponent(() => import("./pages/new-node/new-node-page.tsx"), "NewNodePage"),
});

const node = createRoute({
  getParentRoute: () => staff,
  path: "/admin/nodes/$id",
  component: lazyRouteComponent(() => import("./pages/node/node-page.tsx"), "NodePage"),
});

const users = createRoute({
  getParentRoute: () => staff,
  path: "/admin/users",
  validateSearch: searchable,
  component: lazyRouteComponent(() => import("./pages/users/users-page.tsx"), "UsersPage"),
});

const settings = createRoute({
  getParentRoute: () => staff,
  path: "/admin/settings",
  component: lazyRouteComponent(() => import("./pages/settings/settings-page.tsx"), "SettingsPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    index,
    visitor.addChildren([logIn, signUp, verify, setUp]),
    account.addChildren([
      devices,
      newDevice,
      device,
      servers,
      ownAccount,
      staff.addChildren([overview, nodes, newNode, node, users, settings]),
    ]),
  ]),
  defaultPreload: "intent",
  defaultErrorComponent: RouteError,
  scrollRestoration: true,
});

router.subscribe("onBeforeNavigate", ({ fromLocation, pathChanged }) => {
  if (fromLocation && pathChanged) noteNavigation();
});

session.subscribe(() => {
  if (session.state().status !== "visitor") return;
  // The pages leave first: emptied under them, they would ask for everything once more.
  void router.invalidate().then(() => queryClient.removeQueries({ predicate: isPersonal }));
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
