import type { Incident } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { StateBadge } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatMoment, plural } from "../../format.ts";
import { EditUpdateDialog, type IncidentUpdate } from "./incident-dialogs.tsx";
import { refreshStatus } from "./queries.ts";
import { INCIDENT_WORDS } from "./words.ts";

/** What was posted of an incident, the newest first, each to be corrected or taken back. */
export function Updates({ incident: { title, updates } }: { incident: Incident }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="basis-full text-sm" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="w-fit cursor-pointer rounded-md text-muted">
        {plural(updates.length, "update")}
        <span className="sr-only"> of {title}</span>
      </summary>
      {isOpen && (
        <ol className="mt-3 grid gap-4 border-line border-l-2 pl-4">
          {updates.map((update) => (
            <UpdateItem key={update.id} update={update} isOnly={updates.length === 1} />
          ))}
        </ol>
      )}
    </details>
  );
}

function UpdateItem({ update, isOnly }: { update: IncidentUpdate; isOnly: boolean }) {
  const [asked, setAsked] = useState<"edit" | "remove" | undefined>();
  const { id, state, text, posted_at, is_edited } = update;
  const close = () => setAsked(undefined);
  const { tone, word } = INCIDENT_WORDS[state];
  return (
    <li className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
      <div className="wrap-anywhere min-w-0 grow basis-56">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1 text-muted">
          <StateBadge tone={tone}>{word}</StateBadge>
          <time dateTime={posted_at}>{formatMoment(posted_at)}</time>
          {is_edited && "(edited)"}
        </p>
        <p className="mt-1 whitespace-pre-line">{text}</p>
      </div>
      <div className="flex flex-wrap gap-2">
        <Button
          size="small"
          onClick={() => setAsked("edit")}
          aria-label={`Edit the update: ${text.slice(0, 40)}`}
        >
          Edit
        </Button>
        {!isOnly && (
          <Button
            size="small"
            tone="dangerQuiet"
            onClick={() => setAsked("remove")}
            aria-label={`Remove the update: ${text.slice(0, 40)}`}
          >
            Remove
          </Button>
        )}
      </div>
      <EditUpdateDialog update={update} isOpen={asked === "edit"} onClose={close} />
      <ConfirmDialog
        isOpen={asked === "remove"}
        title="Take this update off the status page?"
        confirmLabel="Remove"
        onClose={close}
        onConfirm={async () => {
          await client.statusDesk.removeUpdate({ params: { id } });
          await refreshStatus();
          notify("The update is off the status page.");
        }}
      >
        <p>If it is the newest, the incident is again as the one before says.</p>
      </ConfirmDialog>
    </li>
  );
}
