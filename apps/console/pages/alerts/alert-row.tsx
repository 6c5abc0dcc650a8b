import type { Alert } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { Advice } from "../../components/advice.tsx";
import { Button } from "../../components/button.tsx";
import { NumberField, TextField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Row } from "../../components/rows.tsx";
import { StateBadge, type Tone } from "../../components/state.tsx";
import { notify, notifyError } from "../../components/toast.tsx";
import { formatAge, formatMoment } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { alertsQuery } from "./queries.ts";

const MINUTES_INITIAL = 60;
/** Four weeks. */
const MINUTES_MAX = 40_320;

interface AlertRowProps {
  readonly alert: Alert;
  readonly nowMs: number;
}

export function AlertRow({ alert, nowMs }: AlertRowProps) {
  const [isAsked, setAsked] = useState(false);
  const [isPending, setPending] = useState(false);
  const { name, summary, advice, since, silence, runbook, state } = alert;

  async function silenceIt(values: FormValues): Promise<void> {
    const body = { minutes: Number(values.text("minutes")), reason: values.text("reason") };
    await client.alerts.silence({ params: { name }, body });
    await queryClient.invalidateQueries(alertsQuery);
    notify(`${name} is silent.`);
  }
  async function unsilence(): Promise<void> {
    setPending(true);
    try {
      await client.alerts.unsilence({ params: { name } });
      notify(`${name} is heard again.`);
    } catch (error) {
      notifyError(error);
    } finally {
      await queryClient.invalidateQueries(alertsQuery);
      setPending(false);
    }
  }

  return (
    <Row
      title={
        <>
          {name}
          <StateBadge tone={toneOf(alert)}>{state === "quiet" ? "Quiet" : wordOf(alert)}</StateBadge>
          {silence !== null && <StateBadge tone="still">Silenced</StateBadge>}
        </>
      }
      detail={
        <>
          <p>
            {summary}
            {since !== null && (
              <>
                {" "}
                It began <time dateTime={since}>{formatAge((nowMs - Date.parse(since)) / 1000)}</time>.
              </>
            )}
          </p>
          {state === "firing" && (
            <p className="text-ink">
              <Advice text={advice} />
            </p>
          )}
          {state === "firing" && <p className="break-all font-mono text-xs">{runbook}</p>}
          {silence !== null && (
            <p>
              Silent until <time dateTime={silence.until}>{formatMoment(silence.until)}</time>:{" "}
              {silence.reason}
            </p>
          )}
        </>
      }
      actions={
        silence === null ? (
          <Button size="small" onClick={() => setAsked(true)} aria-label={`Silence ${name}`}>
            Silence…
          </Button>
        ) : (
          <Button size="small" isPending={isPending} onClick={unsilence} aria-label={`Let ${name} be heard`}>
            Unsilence
          </Button>
        )
      }
    >
      <FormDialog
        isOpen={isAsked}
        title={`Silence ${name}?`}
        lead={<p>No letter is sent about it until the silence ends. It is judged and shown all the same.</p>}
        submitLabel="Silence"
        onClose={() => setAsked(false)}
        onSubmit={silenceIt}
      >
        <TextField
          name="reason"
          label="Reason"
          hint="For your colleagues."
          maxLength={200}
          autoComplete="off"
          missing="Say why, so that others know."
          required
        />
        <NumberField
          name="minutes"
          label="Minutes"
          min={1}
          max={MINUTES_MAX}
          defaultValue={MINUTES_INITIAL}
          hint="Up to 40,320: four weeks."
        />
      </FormDialog>
    </Row>
  );
}

function toneOf({ state, severity }: Alert): Tone {
  if (state === "quiet") return "good";
  return severity === "critical" ? "bad" : "warn";
}

function wordOf({ severity }: Alert): string {
  return severity === "critical" ? "Critical" : "Warning";
}
