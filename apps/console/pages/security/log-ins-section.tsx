import type { LogIn } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { useState } from "react";
import { client, logOut } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { ErrorState, MoreButton, Section, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { StateBadge } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { logInsQuery } from "./queries.ts";

const KINDS = { browser: "Browser", program: "Program" } as const;

/** Where one is logged in. The service keeps no address, no place and no hour of it. */
export function LogInsSection() {
  const list = useInfiniteQuery(logInsQuery);
  const logIns = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [isAsked, setAsked] = useState(false);
  return (
    <Section title="Log-ins" lead="Only days are kept, not from where. Your tunnels keep running either way.">
      {list.isPending && <SkeletonRows label="Loading log-ins" count={2} />}
      {list.isError && logIns.length === 0 && <ErrorState error={list.error} onRetry={list.refetch} />}
      {logIns.length > 0 && (
        <Rows label="Log-ins">
          {logIns
            .toSorted((a, b) => Number(b.is_current) - Number(a.is_current))
            .map((logIn) => (
              <LogInRow key={logIn.id} logIn={logIn} />
            ))}
        </Rows>
      )}
      <MoreButton list={list} />
      <Button tone="dangerQuiet" className="mt-4" onClick={() => setAsked(true)}>
        Log out everywhere…
      </Button>
      <ConfirmDialog
        isOpen={isAsked}
        title="Log out everywhere?"
        confirmLabel="Log out everywhere"
        onClose={() => setAsked(false)}
        onConfirm={() => logOut("everywhere")}
      >
        <p>
          Every browser and program that is logged in to this account is logged out at once, this one too. API
          keys go on working.
        </p>
      </ConfirmDialog>
    </Section>
  );
}

function LogInRow({ logIn }: { logIn: LogIn }) {
  const [isAsked, setAsked] = useState(false);

  async function end(): Promise<void> {
    if (logIn.is_current) return logOut("here");
    await client.sessions.end({ params: { id: logIn.id } });
    await queryClient.invalidateQueries(logInsQuery);
    notify("That log-in has ended.");
  }

  return (
    <Row
      title={
        <>
          {KINDS[logIn.kind]}
          {logIn.is_current && <StateBadge tone="good">This one</StateBadge>}
        </>
      }
      detail={`Since ${formatDay(logIn.created_on)}, until ${formatDay(logIn.expires_on)} unless it is used`}
      actions={
        <Button
          size="small"
          icon={logIn.is_current ? LogOut : undefined}
          onClick={() => setAsked(true)}
          aria-label={
            logIn.is_current
              ? "Log out"
              : `End the log-in of a ${logIn.kind} since ${formatDay(logIn.created_on)}`
          }
        >
          {logIn.is_current ? "Log out" : "End"}
        </Button>
      }
    >
      <ConfirmDialog
        isOpen={isAsked}
        title={logIn.is_current ? "Log out here?" : "End this log-in?"}
        confirmLabel={logIn.is_current ? "Log out" : "End it"}
        onClose={() => setAsked(false)}
        onConfirm={end}
      >
        <p>
          {logIn.is_current
            ? "This browser is logged out."
            : "It is logged out at once, and asked for the password when it is used again."}
        </p>
      </ConfirmDialog>
    </Row>
  );
}
