import type { Deletion } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Section } from "../../components/page.tsx";
import { ProofFields, proofOf } from "../../components/proof-fields.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay, plural } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { privacyQuery } from "./queries.ts";

interface DeletionSectionProps {
  readonly deletion: Deletion | null;
  readonly graceDays: number;
}

export function DeletionSection({ deletion, graceDays }: DeletionSectionProps) {
  const [step, setStep] = useState<"ask" | "keep">();
  const close = () => setStep(undefined);

  async function ask(values: FormValues): Promise<void> {
    const { due_on } = await client.privacy.askDeletion({ body: proofOf(values) });
    await queryClient.invalidateQueries(privacyQuery);
    notify(`Your account is erased on ${formatDay(due_on)}.`);
  }

  async function keep(): Promise<void> {
    await client.privacy.withdrawDeletion();
    await queryClient.invalidateQueries(privacyQuery);
    notify("Your account stays.");
  }

  return (
    <Section
      title="Delete your account"
      lead="Its rows are erased, and the key is destroyed without which nobody can read your data in any backup."
    >
      {deletion ? (
        <div className="grid justify-items-start gap-3">
          <p>
            Your account is erased on <strong>{formatDay(deletion.due_on)}</strong>. Until then it works as
            before.
          </p>
          <Button onClick={() => setStep("keep")}>Keep my account…</Button>
        </div>
      ) : (
        <Button tone="danger" onClick={() => setStep("ask")}>
          Delete account…
        </Button>
      )}
      <FormDialog
        isOpen={step === "ask"}
        title="Delete your account?"
        lead={
          <p>
            {graceDays === 0
              ? "It is erased at once, with its devices, keys and settings, for good: nothing brings it back."
              : `It is erased in ${plural(graceDays, "day")}, with its devices, keys and settings, for good. Until then you can log in and take it back.`}
          </p>
        }
        submitLabel="Delete account"
        tone="danger"
        onClose={close}
        onSubmit={ask}
      >
        <ProofFields />
      </FormDialog>
      <FormDialog
        isOpen={step === "keep"}
        title="Keep your account?"
        submitLabel="Keep it"
        onClose={close}
        onSubmit={keep}
      >
        <p>It is not erased, and everything stays as it is.</p>
      </FormDialog>
    </Section>
  );
}
