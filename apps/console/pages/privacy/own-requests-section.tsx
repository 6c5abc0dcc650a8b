import type { PrivacyRequest } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { ErrorState, MoreButton, Section } from "../../components/page.tsx";
import { RequestRow } from "../../components/request-row.tsx";
import { Rows } from "../../components/rows.tsx";
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
        {list.isError && !list.data && (
          <div className="w-full">
            <ErrorState error={list.error} onRetry={list.refetch} />
          </div>
        )}
        {requests.length > 0 && (
          <div className="w-full">
            <Rows label="Your requests">
              {requests.map((request) => (
                <RequestRow key={request.id} request={request} facts={factsOf(request)} />
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

function factsOf({ asked_on, due_on, closed_on }: PrivacyRequest): string {
  const answer =
    closed_on === null ? `You are answered by ${formatDay(due_on)}.` : `Closed on ${formatDay(closed_on)}.`;
  return `Asked on ${formatDay(asked_on)}. ${answer}`;
}
