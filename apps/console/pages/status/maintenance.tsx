import { MAINTENANCE_MODES, type Maintenance, type MaintenanceMode } from "@securewave/contracts";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { CalendarClock } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Card, EmptyState, ErrorState, MoreButton, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { StateBadge } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { useIsAdmin } from "../../use-session.ts";
import { ChangeMaintenanceDialog, Span } from "./maintenance-dialogs.tsx";
import { namesOf, type Part } from "./parts.tsx";
import { modeQuery, refreshStatus, windowsQuery } from "./queries.ts";
import { MODE_WORDS } from "./words.ts";

/** What customers may do at this moment, and the switch. */
export function Mode() {
  const { data, isError, error, refetch } = useQuery(modeQuery);
  const isAdmin = useIsAdmin();
  const [asked, setAsked] = useState<MaintenanceMode | undefined>();
  if (isError && !data) return <ErrorState error={error} onRetry={refetch} />;
  if (!data) return <SkeletonRows label="Loading the mode" count={1} />;
  return (
    <Card>
      <p className="font-semibold">{MODE_WORDS[data.mode]}.</p>
      <p className="mt-1 text-muted text-sm">
        Tunnels and servers go on in every mode, and staff are let in.
        {data.configured !== "off" &&
          " MAINTENANCE_MODE is set: only a restart without it opens the service."}
        {data.breach !== "off" &&
          " A breach is open; customers are let in once it is closed: securewave breach close."}
        {data.scheduled !== "off" && " Announced maintenance goes on; its mode ends with it."}
      </p>
      {isAdmin && (
        <div className="mt-4 flex flex-wrap gap-2">
          {MAINTENANCE_MODES.filter((mode) => mode !== data.switched).map((mode) => (
            <Button key={mode} size="small" onClick={() => setAsked(mode)}>
              {mode === "off" ? "Open" : mode === "closed" ? "Close to customers" : "Make read-only"}
            </Button>
          ))}
        </div>
      )}
      <ConfirmDialog
        isOpen={asked !== undefined}
        title="Switch the maintenance mode?"
        confirmLabel="Switch"
        tone={asked === "off" ? "primary" : "danger"}
        onClose={() => setAsked(undefined)}
        onConfirm={async () => {
          if (asked === undefined) return;
          await client.statusDesk.switchMode({ body: { mode: asked } });
          await refreshStatus();
          notify("The mode is switched.");
        }}
      >
        <p>{asked === undefined ? "" : `${MODE_WORDS[asked]}. It holds within a second, everywhere.`}</p>
      </ConfirmDialog>
    </Card>
  );
}

const STATES = {
  scheduled: { tone: "waiting", word: "Scheduled" },
  active: { tone: "warn", word: "Goes on" },
  over: { tone: "still", word: "Over" },
  cancelled: { tone: "still", word: "Cancelled" },
} as const satisfies Record<Maintenance["state"], object>;

export function Windows({ parts }: { parts: readonly Part[] }) {
  const list = useInfiniteQuery(windowsQuery);
  const windows = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      {list.isPending && <SkeletonRows label="Loading maintenance" count={2} />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.isSuccess && windows.length === 0 && (
        <EmptyState icon={CalendarClock} title="No maintenance">
          Announce it 24 hours ahead: customers get a mail, and its minutes do not count as down.
        </EmptyState>
      )}
      {windows.length > 0 && (
        <Rows label="Maintenance">
          {windows.map((window) => (
            <WindowRow key={window.id} window={window} parts={parts} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
    </>
  );
}

function WindowRow({ window, parts }: { window: Maintenance; parts: readonly Part[] }) {
  const [asked, setAsked] = useState<"change" | "end" | undefined>();
  const close = () => setAsked(undefined);
  const isAdmin = useIsAdmin();
  const { id, title, state, is_emergency, mode, components } = window;
  const isOpen = state === "scheduled" || state === "active";
  return (
    <Row
      title={
        <>
          {title} <StateBadge tone={STATES[state].tone}>{STATES[state].word}</StateBadge>
          {is_emergency && <StateBadge tone="warn">Emergency</StateBadge>}
        </>
      }
      detail={
        <>
          <Span window={window} />. {MODE_WORDS[mode]}.
          {components.length > 0 && ` It concerns: ${namesOf(components, parts).join(", ")}.`}
        </>
      }
      actions={
        isOpen &&
        isAdmin && (
          <>
            {state === "scheduled" && (
              <Button size="small" onClick={() => setAsked("change")} aria-label={`Change: ${title}`}>
                Change
              </Button>
            )}
            <Button
              size="small"
              tone="dangerQuiet"
              onClick={() => setAsked("end")}
              aria-label={`${state === "active" ? "End" : "Cancel"}: ${title}`}
            >
              {state === "active" ? "End" : "Cancel"}
            </Button>
          </>
        )
      }
    >
      <ChangeMaintenanceDialog window={window} parts={parts} isOpen={asked === "change"} onClose={close} />
      <ConfirmDialog
        isOpen={asked === "end"}
        title={state === "active" ? "End this maintenance now?" : "Call this maintenance off?"}
        confirmLabel={state === "active" ? "End it" : "Call it off"}
        cancelLabel="Keep it"
        onClose={close}
        onConfirm={async () => {
          await client.statusDesk.cancel({ params: { id } });
          await refreshStatus();
          notify(state === "active" ? "The maintenance is over." : "The maintenance is called off.");
        }}
      >
        <p>
          {state === "active"
            ? "Its mode ends with it. No mail is sent."
            : window.notifies
              ? "Customers who were told get another mail."
              : "No mail is sent."}
        </p>
      </ConfirmDialog>
    </Row>
  );
}
