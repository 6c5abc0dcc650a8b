import { useQuery } from "@tanstack/react-query";
import { BookOpen, Moon, Sun, SunMoon } from "lucide-react";
import { useEffect, useState } from "react";
import { client, session } from "../../api.ts";
import { AccountTabs } from "../../components/account-tabs.tsx";
import { ButtonLink } from "../../components/button.tsx";
import { LogOutButton } from "../../components/log-out.tsx";
import { PageTitle, Section } from "../../components/page.tsx";
import { StateBadge } from "../../components/state.tsx";
import { Terms } from "../../components/terms.tsx";
import { formatDay } from "../../format.ts";
import { currentTheme, setTheme, type Theme } from "../../theme.ts";
import { useAccount } from "../../use-session.ts";
import { ownPlanQuery, usageQuery } from "../usage/queries.ts";
import { speedText, usedText } from "../usage/words.ts";

const ROLES = { customer: "Customer", support: "Support agent", admin: "Admin" } as const;

export function AccountPage() {
  const account = useAccount();
  const fresh = useQuery({ queryKey: ["account"], queryFn: ({ signal }) => client.accounts.me({ signal }) });

  useEffect(() => {
    if (fresh.data) session.setAccount(fresh.data);
  }, [fresh.data]);

  if (!account) return null;
  return (
    <>
      <PageTitle title="Account" />
      <AccountTabs />
      <div>
        <Section title="You">
          <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-8 gap-y-2.5">
            <dt className="text-muted">Mail</dt>
            <dd className="break-all">{account.email}</dd>
            <dt className="text-muted">Role</dt>
            <dd>{ROLES[account.role]}</dd>
            <dt className="text-muted">State</dt>
            <dd>
              <StateBadge tone={account.state === "active" ? "good" : "warn"}>
                <span className="capitalize">{account.state}</span>
              </StateBadge>
            </dd>
            <dt className="text-muted">Since</dt>
            <dd>{formatDay(account.created_on)}</dd>
          </dl>
        </Section>
        <PlanSection />
        <Section title="Appearance" lead="Kept in this browser only.">
          <ThemeChoice />
        </Section>
        <Section title="Log out" lead="Your tunnels keep running.">
          <LogOutButton />
        </Section>
        <Section title="For programs" lead="All that this console does goes over a public API.">
          <a
            href="/api/docs"
            className="inline-flex items-center gap-2 rounded-sm font-medium text-accent underline underline-offset-3"
          >
            <BookOpen className="size-4" aria-hidden="true" />
            API reference
          </a>
        </Section>
      </div>
    </>
  );
}

/** What one has and has used of it, in short. */
function PlanSection() {
  const { data: plan } = useQuery(ownPlanQuery);
  const { data: usage } = useQuery(usageQuery);
  if (!plan || !usage) return null;
  return (
    <Section title="Plan" lead={plan.name}>
      <div className="grid justify-items-start gap-4">
        <Terms
          lines={[
            ["Used this month", usedText(usage)],
            ["Speed", speedText(plan)],
          ]}
        />
        <ButtonLink to="/account/usage" size="small">
          Usage and plan
        </ButtonLink>
      </div>
    </Section>
  );
}

const THEME_CHOICES = [
  { theme: "system", label: "System", icon: SunMoon },
  { theme: "light", label: "Light", icon: Sun },
  { theme: "dark", label: "Dark", icon: Moon },
] as const;

function ThemeChoice() {
  const [chosen, setChosen] = useState<Theme>(currentTheme);
  return (
    <fieldset>
      <legend className="sr-only">Theme</legend>
      <div className="grid max-w-sm grid-cols-3 gap-2">
        {THEME_CHOICES.map(({ theme, label, icon: Icon }) => (
          <label
            key={theme}
            className="flex min-h-11 items-center justify-center gap-2 rounded-md border border-line bg-surface px-2 text-muted text-sm transition-colors hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft has-checked:font-medium has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2"
          >
            <input
              type="radio"
              name="theme"
              className="sr-only"
              checked={chosen === theme}
              onChange={() => {
                setTheme(theme);
                setChosen(theme);
              }}
            />
            <Icon className="size-4" aria-hidden="true" />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
