import type { PrivacyState } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Section } from "../../components/page.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { privacyQuery } from "./queries.ts";
import { UsageDays } from "./usage-days.tsx";

export function HistorySection({ history }: { readonly history: PrivacyState["usage_history"] }) {
  const [isOpen, setOpen] = useState(false);

  async function change(): Promise<void> {
    if (history.is_on) await client.privacy.forgetHistory();
    else await client.privacy.keepHistory({ body: { text_version: history.text_version } });
    await queryClient.invalidateQueries(privacyQuery);
    notify(history.is_on ? "What was kept is erased, also in backups." : "Kept from the next day on.");
  }

  return (
    <Section title="Usage history" lead="Off unless you want it: nobody but you gets to see it.">
      <div className="grid justify-items-start gap-4">
        <p>
          {history.is_on && history.since
            ? `Your use of each day is kept since ${formatDay(history.since)}.`
            : "What you use each day is not kept."}
        </p>
        {history.is_on && <UsageDays />}
        <Button onClick={() => setOpen(true)}>
          {history.is_on ? "Erase and stop…" : "Keep my usage history…"}
        </Button>
      </div>
      <FormDialog
        isOpen={isOpen}
        title={history.is_on ? "Erase your usage history?" : "Keep your usage history?"}
        submitLabel={history.is_on ? "Erase and stop" : "I agree"}
        onClose={() => setOpen(false)}
        onSubmit={change}
      >
        <p>{history.is_on ? "It is gone for good, and no more is kept." : history.text}</p>
      </FormDialog>
    </Section>
  );
}
