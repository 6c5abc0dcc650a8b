import { Link, type LinkProps, Outlet, useLocation } from "@tanstack/react-router";
import {
  BellRing,
  BookOpen,
  ChartNoAxesColumn,
  CircleUser,
  Database,
  DatabaseBackup,
  Gauge,
  Globe,
  HeartPulse,
  Inbox,
  KeyRound,
  Layers,
  LifeBuoy,
  ListChecks,
  type LucideIcon,
  Megaphone,
  MonitorSmartphone,
  ScrollText,
  Server,
  Settings,
  ShieldBan,
  Users,
} from "lucide-react";
import { useEffect, useRef } from "react";
import { Wordmark } from "../components/brand.tsx";
import { LogOutButton } from "../components/log-out.tsx";
import { useAccount, useIsAdmin, useRole } from "../use-session.ts";

interface Place {
  readonly to: NonNullable<LinkProps["to"]>;
  readonly label: string;
  readonly icon: LucideIcon;
  /** Whether the pages below it count as the place itself. */
  readonly hasPagesBelow: boolean;
}

const OWN_PLACES: readonly Place[] = [
  { to: "/devices", label: "Devices", icon: MonitorSmartphone, hasPagesBelow: true },
  { to: "/servers", label: "Servers", icon: Globe, hasPagesBelow: false },
  { to: "/account", label: "Account", icon: CircleUser, hasPagesBelow: true },
];

const STAFF_PLACES: readonly Place[] = [
  { to: "/admin", label: "Overview", icon: Gauge, hasPagesBelow: false },
  { to: "/admin/nodes", label: "Nodes", icon: Server, hasPagesBelow: true },
  { to: "/admin/users", label: "Users", icon: Users, hasPagesBelow: false },
  { to: "/admin/plans", label: "Plans", icon: Layers, hasPagesBelow: false },
  { to: "/admin/blocks", label: "Blocks", icon: ShieldBan, hasPagesBelow: false },
  { to: "/admin/privacy-requests", label: "Privacy requests", icon: Inbox, hasPagesBelow: false },
];

const ADMIN_PLACES: readonly Place[] = [
  { to: "/admin/audit", label: "Audit trail", icon: ScrollText, hasPagesBelow: false },
  { to: "/admin/keys", label: "Keys", icon: KeyRound, hasPagesBelow: false },
  { to: "/admin/settings", label: "Settings", icon: Settings, hasPagesBelow: false },
];

/** What keeps the service running; a place without a role is for all staff. */
const OPERATIONS_PLACES: readonly (Place & { readonly isForAdmins?: true })[] = [
  { to: "/admin/jobs", label: "Jobs", icon: ListChecks, hasPagesBelow: true, isForAdmins: true },
  { to: "/admin/health", label: "Health", icon: HeartPulse, hasPagesBelow: false },
  { to: "/admin/database", label: "Database", icon: Database, hasPagesBelow: false },
  { to: "/admin/sla", label: "Service levels", icon: ChartNoAxesColumn, hasPagesBelow: false },
  { to: "/admin/status", label: "Status page", icon: Megaphone, hasPagesBelow: false },
  { to: "/admin/alerts", label: "Alerts", icon: BellRing, hasPagesBelow: false },
  { to: "/admin/drills", label: "Drills", icon: LifeBuoy, hasPagesBelow: false },
  { to: "/admin/backups", label: "Backups", icon: DatabaseBackup, hasPagesBelow: false, isForAdmins: true },
];

/** The frame of all pages behind the log-in: places on the left, on a phone at the bottom. */
export function AccountLayout() {
  const isStaff = useRole() !== "customer";
  const isAdmin = useIsAdmin();
  const staffPlaces = isAdmin ? [...STAFF_PLACES, ...ADMIN_PLACES] : STAFF_PLACES;
  const operations = OPERATIONS_PLACES.filter(({ isForAdmins }) => isStaff && (isAdmin || !isForAdmins));
  return (
    <div className="lg:grid lg:grid-cols-[15.5rem_minmax(0,1fr)]">
      <Sidebar staffPlaces={isStaff ? staffPlaces : []} operations={operations} />
      <div className="min-w-0">
        <TopBar staffPlaces={isStaff ? [...staffPlaces, ...operations] : []} />
        <main
          id="main"
          className="mx-auto w-full max-w-5xl px-4 pt-7 pb-28 sm:px-8 lg:px-10 lg:pt-11 lg:pb-16"
        >
          <Outlet />
        </main>
      </div>
      <TabBar isStaff={isStaff} />
    </div>
  );
}

interface SidebarProps {
  readonly staffPlaces: readonly Place[];
  readonly operations: readonly Place[];
}

function Sidebar({ staffPlaces, operations }: SidebarProps) {
  const account = useAccount();
  const places = useCurrentInView();
  return (
    <header
      ref={places}
      className="sticky top-0 flex h-dvh flex-col overflow-y-auto border-line border-r bg-sunken px-3.5 py-6 max-lg:hidden"
    >
      <Link to="/" className="mb-8 flex rounded-md px-2.5 py-1">
        <Wordmark />
      </Link>
      <nav aria-label="Main" className="grid gap-7">
        <ul className="grid gap-0.5">
          {OWN_PLACES.map((place) => (
            <SidebarLink key={place.label} place={place} />
          ))}
        </ul>
        {staffPlaces.length > 0 && (
          <div>
            <h2 id="manage" className="mb-1.5 px-2.5 font-medium text-muted text-xs">
              Manage
            </h2>
            <ul aria-labelledby="manage" className="grid gap-0.5">
              {staffPlaces.map((place) => (
                <SidebarLink key={place.label} place={place} />
              ))}
              <li>
                <a href="/api/docs" className={SIDEBAR_LINK}>
                  <BookOpen className="size-4.5 text-muted" aria-hidden="true" />
                  API reference
                </a>
              </li>
            </ul>
          </div>
        )}
        {operations.length > 0 && (
          <div>
            <h2 id="operations" className="mb-1.5 px-2.5 font-medium text-muted text-xs">
              Operations
            </h2>
            <ul aria-labelledby="operations" className="grid gap-0.5">
              {operations.map((place) => (
                <SidebarLink key={place.label} place={place} />
              ))}
            </ul>
          </div>
        )}
      </nav>
      <div className="mt-auto px-2.5 pt-7">
        <a href="/zero-log" className="mb-3 block rounded-sm text-muted text-sm hover:text-ink">
          Zero-log report
        </a>
        {staffPlaces.length === 0 && (
          <a href="/api/docs" className="mb-3 inline-block rounded-sm text-muted text-sm hover:text-ink">
            API reference
          </a>
        )}
        <p className="truncate text-sm" title={account?.email}>
          {account?.email}
        </p>
        <p className="mb-3 text-muted text-xs capitalize">{account?.role}</p>
        <LogOutButton size="small" />
      </div>
    </header>
  );
}

const SIDEBAR_LINK =
  "flex min-h-9 items-center gap-3 rounded-md px-2.5 font-medium text-sm text-muted transition-colors hover:bg-hover hover:text-ink aria-[current=page]:bg-surface aria-[current=page]:text-ink aria-[current=page]:shadow-card aria-[current=page]:[&_svg]:text-accent";

function SidebarLink({ place }: { place: Place }) {
  const Icon = place.icon;
  return (
    <li>
      <Link
        to={place.to}
        activeOptions={{ exact: !place.hasPagesBelow, includeSearch: false }}
        className={SIDEBAR_LINK}
      >
        <Icon className="size-4.5" aria-hidden="true" />
        {place.label}
      </Link>
    </li>
  );
}

/** Keeps the present place within what is seen of a row or column that is longer than the window. */
function useCurrentInView() {
  const row = useRef<HTMLElement>(null);
  const path = useLocation({ select: ({ pathname }) => pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: with each path another place is the present one
  useEffect(() => {
    const current = row.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (!row.current || !current) return;
    const [place, window] = [current, row.current].map((element) => element.getBoundingClientRect());
    if (!place || !window) return;
    row.current.scrollLeft += place.left + place.width / 2 - (window.left + window.width / 2);
    const isSeen = place.top >= window.top && place.bottom <= window.bottom;
    if (!isSeen) row.current.scrollTop += place.top + place.height / 2 - (window.top + window.height / 2);
  }, [path]);
  return row;
}

/** On a phone: the name on top and, for staff, the operator's places to swipe through. */
function TopBar({ staffPlaces }: { staffPlaces: readonly Place[] }) {
  const places = useCurrentInView();
  return (
    <header className="border-line border-b bg-sunken lg:hidden">
      <div className="flex min-h-14 items-center px-4 sm:px-8">
        <Link to="/" className="flex min-w-0 rounded-md py-1">
          <Wordmark />
        </Link>
      </div>
      {staffPlaces.length > 0 && (
        <nav ref={places} aria-label="Operate" className="overflow-x-auto px-2 sm:px-6">
          <ul className="flex gap-1">
            {staffPlaces.map((place) => (
              <li key={place.label}>
                <Link
                  to={place.to}
                  activeOptions={{ exact: !place.hasPagesBelow, includeSearch: false }}
                  className="flex min-h-11 items-center whitespace-nowrap border-transparent border-b-2 px-2.5 font-medium text-muted text-sm aria-[current=page]:border-accent aria-[current=page]:text-ink"
                >
                  {place.label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
      )}
    </header>
  );
}

function TabBar({ isStaff }: { isStaff: boolean }) {
  const places = isStaff
    ? [...OWN_PLACES, { to: "/admin", label: "Operate", icon: Gauge, hasPagesBelow: true } satisfies Place]
    : OWN_PLACES;
  return (
    <nav
      aria-label="Main"
      className="fixed inset-x-0 bottom-0 z-10 border-line border-t bg-surface pb-[env(safe-area-inset-bottom)] lg:hidden"
    >
      <ul className="mx-auto flex max-w-md">
        {places.map(({ to, label, icon: Icon, hasPagesBelow }) => (
          <li key={label} className="flex-1">
            <Link
              to={to}
              activeOptions={{ exact: !hasPagesBelow, includeSearch: false }}
              className="relative grid min-h-15 place-items-center content-center gap-0.5 font-medium text-muted text-xs aria-[current=page]:text-accent"
            >
              <Icon className="size-5" aria-hidden="true" />
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
