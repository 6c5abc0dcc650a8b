import {
  MAINTENANCE_MODES,
  type Maintenance,
  type MaintenanceMode,
  type ServiceStatus,
} from "@securewave/contracts";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { CalendarClock } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Card, EmptyState, ErrorState, MoreButton, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { Notice, StateBadge } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatMoment } from "../../format.ts";
import { PageError } from "../../problems.ts";
import { useIsAdmin } from "../../use-session.ts";
import { modeQuery, refreshStatus, windowsQuery } from "./queries.ts";
import { Preview, TextArea } from "./text-area.tsx";
import { instantOf, MODE_WORDS } from "./words.ts";

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

export function Windows() {
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
            <WindowRow key={window.id} window={window} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
    </>
  );
}

function WindowRow({ window }: { window: Maintenance }) {
  const [isAsked, setAsked] = useState(false);
  const isAdmin = useIsAdmin();
  const { id, title, state, starts_at, ends_at, is_emergency, mode } = window;
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
          <time dateTime={starts_at}>{formatMoment(starts_at)}</time> to{" "}
          <time dateTime={ends_at}>{formatMoment(ends_at)}</time>. {MODE_WORDS[mode]}.
        </>
      }
      actions={
        isOpen &&
        isAdmin && (
          <Button
            size="small"
            tone="dangerQuiet"
            onClick={() => setAsked(true)}
            aria-label={`Cancel: ${title}`}
          >
            {state === "active" ? "End" : "Cancel"}
          </Button>
        )
      }
    >
      <ConfirmDialog
        isOpen={isAsked}
        title={state === "active" ? "End this maintenance now?" : "Call this maintenance off?"}
        confirmLabel={state === "active" ? "End it" : "Call it off"}
        cancelLabel="Keep it"
        onClose={() => setAsked(false)}
        onConfirm={async () => {
          await client.statusDesk.cancel({ params: { id } });
          await refreshStatus();
          notify("The maintenance is called off.");
        }}
      >
        <p>{window.notifies ? "Customers who were told get another mail." : "No mail is sent."}</p>
      </ConfirmDialog>
    </Row>
  );
}

interface NewMaintenanceProps {
  readonly components: ServiceStatus["components"];
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export function NewMaintenanceDialog({ components, isOpen, onClose }: NewMaintenanceProps) {
  const [text, setText] = useState("");
  return (
    <FormDialog
      isOpen={isOpen}
      title="Announce maintenance"
      submitLabel="Announce"
      onClose={onClose}
      onSubmit={async (values) => {
        const starts_at = instantOf(values.text("starts"));
        const ends_at = instantOf(values.text("ends"));
        if (starts_at === undefined) throw new PageError("Say when it begins.", "starts");
        if (ends_at === undefined) throw new PageError("Say when it ends.", "ends");
        const what = values.text("text").replace(/\r\n?/g, "\n");
        if (what === "") throw new PageError("Say what is going to be done.");
        const component = values.text("component");
        await client.statusDesk.schedule({
          body: {
            title: values.text("title"),
            text: what,
            starts_at,
            ends_at,
            mode: values.text("mode") as MaintenanceMode,
            components: component === "" ? [] : [component],
            is_emergency: values.ticked("emergency").length > 0,
            notifies: values.ticked("notifies").length > 0,
          },
        });
        await refreshStatus();
        notify("The maintenance is announced.");
      }}
    >
      <TextField name="title" label="Title" maxLength={120} missing="Give it a title." required />
      <div className="grid gap-5 sm:grid-cols-2">
        <TextField
          name="starts"
          label="Begins"
          type="datetime-local"
          missing="Say when it begins."
          required
        />
        <TextField name="ends" label="Ends" type="datetime-local" missing="Say when it ends." required />
      </div>
      <p className="text-muted text-sm">Times are those of your own time zone: {zone()}.</p>
      <SelectField name="component" label="Part of the service">
        <option value="">The whole service</option>
        {components.map(({ component, name }) => (
          <option key={component} value={component}>
            {name}
          </option>
        ))}
      </SelectField>
      <SelectField name="mode" label="Meanwhile">
        {MAINTENANCE_MODES.map((mode) => (
          <option key={mode} value={mode}>
            {MODE_WORDS[mode]}
          </option>
        ))}
      </SelectField>
      <TextArea name="text" label="What is going to be done" onChange={setText} />
      <Preview text={text} />
      <Tick name="notifies" isTicked label="Send a mail to the customers whom it concerns" />
      <Tick name="emergency" label="It is an emergency: less than 24 hours ahead" />
      <Notice tone="waiting">An emergency is shown as one, and its minutes count as what they are.</Notice>
    </FormDialog>
  );
}

function Tick({ name, label, isTicked = false }: { name: string; label: string; isTicked?: boolean }) {
  return (
    <label className="flex items-center gap-2.5 text-sm">
      <input type="checkbox" name={name} value="yes" defaultChecked={isTicked} className="size-4" />
      {label}
    </label>
  );
}

function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
