import { INCIDENT_STATES, type Incident, type IncidentState } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { SelectField, TextField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { notify } from "../../components/toast.tsx";
import { PageError } from "../../problems.ts";
import { ImpactChoice, impactsOf, isSame, type Part, withGone } from "./parts.tsx";
import { refreshStatus } from "./queries.ts";
import { Preview, TextArea } from "./text-area.tsx";
import { INCIDENT_WORDS } from "./words.ts";

interface DialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

function TitleField({ title }: { title?: string }) {
  return (
    <TextField
      name="title"
      label="Title"
      defaultValue={title}
      maxLength={120}
      missing="Give it a title."
      required
    />
  );
}

function demandText(values: FormValues): string {
  const text = values.text("text").replace(/\r\n?/g, "\n");
  if (text === "") throw new PageError("Say what is known.");
  return text;
}

export function NewIncidentDialog({ parts, ...dialog }: DialogProps & { parts: readonly Part[] }) {
  const [text, setText] = useState("");
  return (
    <FormDialog
      {...dialog}
      title="Post an incident"
      lead={<p>Everybody can read it at once.</p>}
      submitLabel="Post"
      onSubmit={async (values) => {
        const components = impactsOf(values, parts);
        const body = { title: values.text("title"), text: demandText(values), components };
        await client.statusDesk.openIncident({ body });
        await refreshStatus();
        notify("The incident is on the status page.");
      }}
    >
      <TitleField />
      <ImpactChoice parts={parts} />
      <TextArea name="text" label="What is known" onChange={setText} />
      <Preview text={text} />
    </FormDialog>
  );
}

export function UpdateDialog({ incident, ...dialog }: DialogProps & { incident: Incident }) {
  const [text, setText] = useState("");
  return (
    <FormDialog
      {...dialog}
      title={`Update: ${incident.title}`}
      submitLabel="Post"
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

export type IncidentUpdate = Incident["updates"][number];

export function EditUpdateDialog({ update, ...dialog }: DialogProps & { update: IncidentUpdate }) {
  const [text, setText] = useState(update.text);
  return (
    <FormDialog
      {...dialog}
      title="Edit this update"
      lead={<p>The status page says that it was edited.</p>}
      submitLabel="Save"
      onSubmit={async (values) => {
        const body = { text: demandText(values) };
        if (body.text === update.text) return;
        await client.statusDesk.changeUpdate({ params: { id: update.id }, body });
        await refreshStatus();
        notify("The update is changed.");
      }}
    >
      <TextArea name="text" label="What is known" defaultValue={update.text} onChange={setText} />
      <Preview text={text} />
    </FormDialog>
  );
}

interface EditIncidentProps extends DialogProps {
  readonly incident: Incident;
  readonly parts: readonly Part[];
}

export function EditIncidentDialog({ incident, parts, ...dialog }: EditIncidentProps) {
  const { id, title, components } = incident;
  const choice = withGone(
    parts,
    components.map(({ component }) => component),
  );
  return (
    <FormDialog
      {...dialog}
      title={`Edit: ${title}`}
      submitLabel="Save"
      onSubmit={async (values) => {
        const chosen = impactsOf(values, choice);
        const body = {
          ...(values.text("title") !== title && { title: values.text("title") }),
          ...(!isSame(chosen, components) && { components: chosen }),
        };
        if (Object.keys(body).length === 0) return;
        await client.statusDesk.changeIncident({ params: { id }, body });
        await refreshStatus();
        notify("The incident is changed.");
      }}
    >
      <TitleField title={title} />
      <ImpactChoice parts={choice} chosen={components} />
    </FormDialog>
  );
}
