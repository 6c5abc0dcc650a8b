import type { Incident } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { EmptyState, ErrorState, MoreButton, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { StateBadge } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatMoment } from "../../format.ts";
import { EditIncidentDialog, UpdateDialog } from "./incident-dialogs.tsx";
import { IMPACT_WORDS, namesOf, type Part } from "./parts.tsx";
import { incidentsQuery, refreshStatus } from "./queries.ts";
import { Updates } from "./updates.tsx";
import { INCIDENT_WORDS } from "./words.ts";

export function Incidents({ parts }: { parts: readonly Part[] }) {
  const list = useInfiniteQuery(incidentsQuery);
  const incidents = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      {list.isPending && <SkeletonRows label="Loading incidents" count={2} />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.isSuccess && incidents.length === 0 && (
        <EmptyState icon={CircleCheck} title="No incidents">
          What you post appears on the status page, for everybody.
        </EmptyState>
      )}
      {incidents.length > 0 && (
        <Rows label="Incidents">
          {incidents.map((incident) => (
            <IncidentRow key={incident.id} incident={incident} parts={parts} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
    </>
  );
}

function IncidentRow({ incident, parts }: { incident: Incident; parts: readonly Part[] }) {
  const [asked, setAsked] = useState<"update" | "edit" | "remove" | undefined>();
  const { id, title, state, updates, opened_at, components } = incident;
  const close = () => setAsked(undefined);
  return (
    <Row
      title={
        <>
          {title} <StateBadge tone={INCIDENT_WORDS[state].tone}>{INCIDENT_WORDS[state].word}</StateBadge>
        </>
      }
      detail={
        <>
          <p className="line-clamp-3">
            Opened <time dateTime={opened_at}>{formatMoment(opened_at)}</time>. {updates[0]?.text}
          </p>
          {components.map(({ component, impact }) => (
            <p key={component}>
              {namesOf([component], parts)}: {IMPACT_WORDS[impact].toLowerCase()}
            </p>
          ))}
        </>
      }
      actions={
        <>
          {state !== "resolved" && (
            <Button size="small" onClick={() => setAsked("update")} aria-label={`Update: ${title}`}>
              Update
            </Button>
          )}
          <Button size="small" onClick={() => setAsked("edit")} aria-label={`Edit: ${title}`}>
            Edit
          </Button>
          <Button
            size="small"
            tone="dangerQuiet"
            onClick={() => setAsked("remove")}
            aria-label={`Remove: ${title}`}
          >
            Remove
          </Button>
        </>
      }
    >
      <Updates incident={incident} />
      <UpdateDialog incident={incident} isOpen={asked === "update"} onClose={close} />
      <EditIncidentDialog incident={incident} parts={parts} isOpen={asked === "edit"} onClose={close} />
      <ConfirmDialog
        isOpen={asked === "remove"}
        title="Take this incident off the status page?"
        confirmLabel="Remove"
        onClose={close}
        onConfirm={async () => {
          await client.statusDesk.removeIncident({ params: { id } });
          await refreshStatus();
          notify("The incident is off the status page.");
        }}
      >
        <p>To say that it is over, post an update with the state “Resolved”.</p>
      </ConfirmDialog>
    </Row>
  );
}
