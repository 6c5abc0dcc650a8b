import {
  type api,
  type BodyOf,
  MAINTENANCE_MODES,
  type Maintenance,
  type MaintenanceMode,
} from "@securewave/contracts";
import { type ReactNode, useState } from "react";
import { client } from "../../api.ts";
import { ConfirmDialog, Dialog } from "../../components/dialog.tsx";
import { FormActions, SelectField, TextField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Notice } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatMoment } from "../../format.ts";
import { PageError } from "../../problems.ts";
import { isSame, type Part, PartChoice, withGone } from "./parts.tsx";
import { refreshStatus } from "./queries.ts";
import { Preview, TextArea } from "./text-area.tsx";
import { instantOf, localOf, MODE_WORDS } from "./words.ts";

interface DialogProps {
  readonly parts: readonly Part[];
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export function NewMaintenanceDialog({ parts, ...dialog }: DialogProps) {
  return (
    <FormDialog
      {...dialog}
      title="Announce maintenance"
      submitLabel="Announce"
      onSubmit={async (values) => {
        const notifies = values.ticked("notifies").length > 0;
        await client.statusDesk.schedule({ body: { ...windowOf(values), notifies } });
        await refreshStatus();
        notify("The maintenance is announced.");
      }}
    >
      <WindowFields parts={parts}>
        <Tick name="notifies" isTicked label="Send a mail to the customers whom it concerns" />
      </WindowFields>
    </FormDialog>
  );
}

type Change = BodyOf<typeof api.statusDesk.reschedule>;

/** Moves one that has not begun, or changes what it is, once that is confirmed. */
export function ChangeMaintenanceDialog({
  window,
  parts,
  isOpen,
  onClose,
}: DialogProps & { window: Maintenance }) {
  const [asked, setAsked] = useState<Change | undefined>();
  const { id, title, notifies, components } = window;
  const after = { ...window, ...asked };
  const isMoved = asked?.starts_at !== undefined || asked?.ends_at !== undefined;
  return (
    <>
      <Dialog isOpen={isOpen} title={`Change: ${title}`} onClose={onClose}>
        <Form onSubmit={async (values) => setAsked(changeOf(window, values))}>
          {({ isPending }) => (
            <>
              <WindowFields parts={withGone(parts, components)} window={window} />
              <FormActions label="Change…" isPending={isPending} onCancel={onClose} />
            </>
          )}
        </Form>
      </Dialog>
      <ConfirmDialog
        isOpen={asked !== undefined}
        title="Change this maintenance?"
        confirmLabel="Change it"
        cancelLabel="Back"
        tone="primary"
        onClose={() => setAsked(undefined)}
        onConfirm={async () => {
          if (asked === undefined) return;
          await client.statusDesk.reschedule({ params: { id }, body: asked });
          await refreshStatus();
          notify("The maintenance is changed.");
          onClose();
        }}
      >
        <div>
          <p className="font-medium text-ink">{after.title}</p>
          <p>
            <Span window={after} />
          </p>
          {isMoved && (
            <p className="text-sm">
              Before: <Span window={window} />
            </p>
          )}
        </div>
        <p>
          {notifies
            ? "Customers whom it concerns get a mail, unless it is only shorter or told in other words."
            : "No mail is sent."}
        </p>
      </ConfirmDialog>
    </>
  );
}

export function Span({
  window: { starts_at, ends_at },
}: {
  window: Pick<Maintenance, "starts_at" | "ends_at">;
}) {
  return (
    <>
      <time dateTime={starts_at}>{formatMoment(starts_at)}</time> to{" "}
      <time dateTime={ends_at}>{formatMoment(ends_at)}</time>
    </>
  );
}

/** What the fields hold. A time that was not touched stays what it was to the second. */
function windowOf(values: FormValues, former?: Maintenance) {
  const instant = (name: "starts" | "ends", formerInstant: string | undefined, missing: string) => {
    const local = values.text(name);
    if (formerInstant !== undefined && local === localOf(formerInstant)) return formerInstant;
    const chosen = instantOf(local);
    if (chosen === undefined) throw new PageError(missing, name);
    return chosen;
  };
  const starts_at = instant("starts", former?.starts_at, "Say when it begins.");
  const ends_at = instant("ends", former?.ends_at, "Say when it ends.");
  if (ends_at <= starts_at) throw new PageError("It ends after it begins.", "ends");
  const text = values.text("text").replace(/\r\n?/g, "\n");
  if (text === "") throw new PageError("Say what is going to be done.");
  return {
    ...{ starts_at, ends_at, text },
    title: values.text("title"),
    mode: values.text("mode") as MaintenanceMode,
    components: values.ticked("parts"),
    is_emergency: values.ticked("emergency").length > 0,
  };
}

/** What is other than it was. */
function changeOf(window: Maintenance, values: FormValues): Change {
  const { components, ...after } = windowOf(values, window);
  const changed = Object.entries(after).filter(
    ([name, value]) => value !== window[name as keyof typeof after],
  );
  const isOfOthers = !isSame(components, window.components);
  if (changed.length === 0 && !isOfOthers) throw new PageError("Nothing is changed yet.");
  return { ...Object.fromEntries(changed), ...(isOfOthers && { components }) };
}

interface WindowFieldsProps {
  readonly parts: readonly Part[];
  readonly window?: Maintenance;
  readonly children?: ReactNode;
}

interface MomentFieldProps {
  readonly name: string;
  readonly label: string;
  readonly missing: string;
  readonly at: string | undefined;
}

function MomentField({ at, ...field }: MomentFieldProps) {
  return <TextField {...field} type="datetime-local" defaultValue={at && localOf(at)} required />;
}

function WindowFields({ parts, window, children }: WindowFieldsProps) {
  const [text, setText] = useState(window?.text ?? "");
  return (
    <>
      <TextField
        name="title"
        label="Title"
        defaultValue={window?.title}
        maxLength={120}
        missing="Give it a title."
        required
      />
      <MomentField name="starts" label="Begins" at={window?.starts_at} missing="Say when it begins." />
      <MomentField name="ends" label="Ends" at={window?.ends_at} missing="Say when it ends." />
      <p className="text-muted text-sm">Times are those of your own time zone: {zone()}.</p>
      <PartChoice parts={parts} {...(window && { chosen: window.components })} />
      <SelectField name="mode" label="Meanwhile" defaultValue={window?.mode}>
        {MAINTENANCE_MODES.map((mode) => (
          <option key={mode} value={mode}>
            {MODE_WORDS[mode]}
          </option>
        ))}
      </SelectField>
      <TextArea
        name="text"
        label="What is going to be done"
        {...(window && { defaultValue: window.text })}
        onChange={setText}
      />
      <Preview text={text} />
      {children}
      <Tick
        name="emergency"
        isTicked={window?.is_emergency === true}
        label="It is an emergency: less than 24 hours ahead"
      />
      <Notice tone="waiting">An emergency is shown as one, and its minutes count as what they are.</Notice>
    </>
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
