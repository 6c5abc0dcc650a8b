import type { PrivacyRequest } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { MoreButton, Section } from "../../components/page.tsx";
import { RequestStateBadge } from "../../components/request-state.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { KIND_NAMES, KINDS } from "../privacy-requests/kinds.ts";
import { ownRequestsQuery } from "./queries.ts";

export function OwnRequestsSection() {
  const list = useInfiniteQuery(ownRequestsQuery);
  const requests = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [isOpen, setOpen] = useState(false);

  async function ask(values: FormValues): Promise<void> {
    const kind = KINDS.find((candidate) => candidate === values.text("kind")) ?? "other";
    const text = values.text("text");
    const { due_on } = await client.privacy.ask({ body: { kind, ...(text !== "" && { text }) } });
    await queryClient.invalidateQueries(ownRequestsQuery);
    notify(`You are answered by ${formatDay(due_on)} at the latest.`);
  }

  return (
    <Section title="Ask about your data" lead="Whoever runs this service has to answer within a month.">
      <div className="grid justify-items-start gap-4">
        {requests.length > 0 && (
          <div className="w-full">
            <Rows label="Your requests">
              {requests.map((request) => (
                <RequestRow key={request.id} request={request} />
              ))}
            </Rows>
            <MoreButton list={list} />
          </div>
        )}
        <Button onClick={() => setOpen(true)}>Ask…</Button>
      </div>
      <FormDialog
        isOpen={isOpen}
        title="Ask about your data"
        lead={<p>Those who run this service read it, together with your account. It is kept sealed.</p>}
        submitLabel="Send"
        onClose={() => setOpen(false)}
        onSubmit={ask}
      >
        <SelectField name="kind" label="About" defaultValue="other">
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {KIND_NAMES[kind]}
            </option>
          ))}
        </SelectField>
        <TextField name="text" label="In your words" hint="May be left empty." maxLength={1000} />
      </FormDialog>
    </Section>
  );
}

function RequestRow({ request }: { readonly request: PrivacyRequest }) {
  const { kind, text, asked_on, due_on, closed_on } = request;
  return (
    <Row
      title={
        <>
          {KIND_NAMES[kind]}
          <RequestStateBadge request={request} />
        </>
      }
      detail={
        <>
          {text !== null && <p className="break-words text-ink">{text}</p>}
          Asked on {formatDay(asked_on)}.{" "}
          {closed_on === null
            ? `You are answered by ${formatDay(due_on)}.`
            : `Closed on ${formatDay(closed_on)}.`}
        </>
      }
      actions={null}
    />
  );
}
