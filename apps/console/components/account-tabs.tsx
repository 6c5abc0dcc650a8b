import { Link } from "@tanstack/react-router";

const TABS = [
  { to: "/account", label: "You" },
  { to: "/account/usage", label: "Usage" },
  { to: "/account/security", label: "Security" },
  { to: "/account/privacy", label: "Privacy" },
  { to: "/account/api-keys", label: "API keys" },
] as const;

/** Leads between the pages of one's own account. */
export function AccountTabs() {
  return (
    <nav aria-label="Account" className="-mt-2 mb-8 overflow-x-auto border-line border-b">
      <ul className="flex gap-1">
        {TABS.map(({ to, label }) => (
          <li key={to}>
            <Link
              to={to}
              activeOptions={{ exact: true, includeSearch: false }}
              className="flex min-h-11 items-center whitespace-nowrap border-transparent border-b-2 px-3 font-medium text-muted text-sm transition-colors hover:text-ink focus-visible:-outline-offset-2 aria-[current=page]:border-accent aria-[current=page]:text-ink"
            >
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
