import {
  INCIDENT_STATES,
  type Incident,
  type IncidentState,
  type ServiceStatus,
} from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { EmptyState, ErrorState, MoreButton, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { StateBadge } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatMoment } from "../../format.ts";
import { PageError } from "../../problems.ts";
import { incidentsQuery, refreshStatus } from "./queries.ts";
import { Preview, TextArea } from "./text-area.tsx";
import { INCIDENT_WORDS } from "./words.ts";

type Component = ServiceStatus["components"][number];

export function Incidents() {
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
            <IncidentRow key={incident.id} incident={incident} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
    </>
  );
}

function IncidentRow({ incident }: { incident: Incident }) {
  const [asked, setAsked] = useState<"update" | "remove" | undefined>();
  const { id, title, state, updates, opened_at } = incident;
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
          Opened <time dateTime={opened_at}>{formatMoment(opened_at)}</time>. {updates[0]?.text}
        </>
      }
      actions={
        <>
          {state !== "resolved" && (
            <Button size="small" onClick={() => setAsked("update")} aria-label={`Update: ${title}`}>
              Update
            </Button>
          )}
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
      <UpdateDialog incident={incident} isOpen={asked === "update"} onClose={close} />
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

function demandText(values: FormValues): string {
  const text = values.text("text").replace(/\r\n?/g, "\n");
  if (text === "") throw new PageError("Say what is known.");
  return text;
}

function UpdateDialog({
  incident,
  isOpen,
  onClose,
}: {
  incident: Incident;
  isOpen: boolean;
  onClose: () => void;
}) {
  const [text, setText] = useState("");
  return (
    <FormDialog
      isOpen={isOpen}
      title={`Update: ${incident.title}`}
      submitLabel="Post"
      onClose={onClose}
      onSubmit={async (values) => {
        const body = { state: values.text("state") as IncidentState, text: demandText(values) };
        await client.statusDesk.updateIncident({ params: { id: incident.id }, body });
        await refreshStatus();
        notify("The update is on the status page.");
      }}
    >
      <SelectField name="state" label="State" defaultValue={incident.state}>
        {INCIDENT_STATES.map((state) => (
          <option key={state} value={state}>
            {INCIDENT_WORDS[state].word}
          </option>
        ))}
      </SelectField>
      <TextArea name="text" label="What is new" onChange={setText} />
      <Preview text={text} />
    </FormDialog>
  );
}

interface NewIncidentProps {
  readonly components: readonly Component[];
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export function NewIncidentDialog({ components, isOpen, onClose }: NewIncidentProps) {
  const [text, setText] = useState("");
  return (
    <FormDialog
      isOpen={isOpen}
      title="Post an incident"
      lead={<p>Everybody can read it at once.</p>}
      submitLabel="Post"
      onClose={onClose}
      onSubmit={async (values) => {
        const component = values.text("component");
        const impact = values.text("impact") as "degraded" | "down" | "none";
        await client.statusDesk.openIncident({
          body: {
            title: values.text("title"),
            text: demandText(values),
            components: component === "" ? [] : [{ component, impact }],
          },
        });
        await refreshStatus();
        notify("The incident is on the status page.");
      }}
    >
      <TextField name="title" label="Title" maxLength={120} missing="Give it a title." required />
      <SelectField name="component" label="Part of the service">
        <option value="">None in particular</option>
        {components.map(({ component, name }) => (
          <option key={component} value={component}>
            {name}
          </option>
        ))}
      </SelectField>
      <SelectField name="impact" label="How it does">
        <option value="degraded">Works badly</option>
        <option value="down">Does not work</option>
        <option value="none">Not impaired</option>
      </SelectField>
      <TextArea name="text" label="What is known" onChange={setText} />
      <Preview text={text} />
    </FormDialog>
  );
}
