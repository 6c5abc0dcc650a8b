import type { Account, Role } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { StateBadge, type Tone } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { useAccount } from "../../use-session.ts";
import { ROLE_NAMES, ROLES } from "./roles.ts";
import { UserActs } from "./user-acts.tsx";

const STATES = {
  active: { tone: "good", word: "Active" },
  unverified: { tone: "waiting", word: "Unconfirmed" },
  suspended: { tone: "bad", word: "Suspended" },
} as const satisfies Record<Account["state"], { tone: Tone; word: string }>;

interface AccountChange {
  readonly role?: Role;
  readonly state?: "active" | "suspended";
}

export function UserRow({ account, isEditable }: { account: Account; isEditable: boolean }) {
  const [asked, setAsked] = useState<AccountChange>();
  const isSelf = useAccount()?.id === account.id;
  const { tone, word } = STATES[account.state];

  async function change(body: AccountChange): Promise<void> {
    await client.accounts.change({ params: { id: account.id }, body });
    await queryClient.invalidateQueries({ queryKey: ["accounts"] });
    notify(`${account.email}: ${body.role ? ROLE_NAMES[body.role] : STATES[body.state ?? "active"].word}.`);
  }

  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-3 border-line border-t p-4 first:border-t-0 sm:px-5 md:grid-cols-[minmax(0,1fr)_7.5rem_10rem_10rem]">
      <div className="min-w-0">
        <p className="truncate font-semibold" title={account.email}>
          {account.email}
          {isSelf && <span className="font-normal text-muted"> (you)</span>}
        </p>
        <p className="text-muted text-sm">Since {formatDay(account.created_on)}</p>
      </div>
      <div className="justify-self-start max-md:justify-self-end">
        <StateBadge tone={tone}>{word}</StateBadge>
      </div>
      {isEditable && !isSelf ? (
        <select
          aria-label={`Role of ${account.email}`}
          className="control max-md:max-w-44"
          value={account.role}
          onChange={(event) => {
            const role = ROLES.find((candidate) => candidate === event.target.value);
            if (role) setAsked({ role });
          }}
        >
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {ROLE_NAMES[role]}
            </option>
          ))}
        </select>
      ) : (
        <span className="text-muted text-sm">{ROLE_NAMES[account.role]}</span>
      )}
      {isEditable && !isSelf && (
        <div className="flex items-center gap-1 justify-self-end">
          {account.state === "suspended" ? (
            <Button
              size="small"
              onClick={() => setAsked({ state: "active" })}
              aria-label={`Reactivate ${account.email}`}
            >
              Reactivate
            </Button>
          ) : (
            <Button
              size="small"
              tone="dangerQuiet"
              onClick={() => setAsked({ state: "suspended" })}
              aria-label={`Suspend ${account.email}`}
            >
              Suspend
            </Button>
          )}
          <UserActs account={account} />
        </div>
      )}
      <ConfirmDialog
        isOpen={asked !== undefined}
        title={titleOf(account, asked)}
        confirmLabel={asked?.role ? "Change role" : asked?.state === "suspended" ? "Suspend" : "Reactivate"}
        tone={asked?.state === "suspended" ? "danger" : "primary"}
        onClose={() => setAsked(undefined)}
        onConfirm={() => (asked ? change(asked) : undefined)}
      >
        <p>{consequenceOf(asked)}</p>
      </ConfirmDialog>
    </li>
  );
}

function titleOf(account: Account, asked: AccountChange | undefined): string {
  if (asked?.role) return `Make ${account.email} ${ROLE_NAMES[asked.role].toLowerCase()}?`;
  return asked?.state === "suspended" ? `Suspend ${account.email}?` : `Reactivate ${account.email}?`;
}

function consequenceOf(asked: AccountChange | undefined): string {
  if (asked?.role === "admin") return "Admins can do everything here, also make and unmake admins.";
  if (asked?.role === "support")
    return "Support agents see users, devices, nodes and operations. They can revoke devices, silence alerts and post incidents.";
  if (asked?.role === "customer") return "Customers see their own devices only.";
  if (asked?.state === "suspended")
    return "Every log-in of this account ends and its devices go off their nodes at once.";
  return "The account can log in again, and its devices go back on.";
}
