import { useState } from "react";
import { watchingClient } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Section } from "../../components/page.tsx";
import { ProofFields, proofOf } from "../../components/proof-fields.tsx";
import { notify } from "../../components/toast.tsx";
import { download } from "../../download.ts";
import { formatBytes } from "../../format.ts";

export function ExportSection() {
  const [isOpen, setOpen] = useState(false);
  const [receivedBytes, setReceivedBytes] = useState<number>();

  async function save(values: FormValues): Promise<void> {
    const client = watchingClient(setReceivedBytes);
    const call = client.privacy.export({ body: proofOf(values) });
    const everything = await call.finally(() => setReceivedBytes(undefined));
    download({ name: "everything-about-me.json", text: `${JSON.stringify(everything, null, 2)}\n` });
    notify("Everything about you is in your downloads.");
  }

  return (
    <Section
      title="Everything about you"
      lead="All that is kept about you, each field with its meaning, as JSON."
    >
      <Button onClick={() => setOpen(true)}>Download…</Button>
      <FormDialog
        isOpen={isOpen}
        title="Download everything about you"
        submitLabel="Download"
        onClose={() => setOpen(false)}
        onSubmit={save}
      >
        <ProofFields />
        {receivedBytes !== undefined && (
          <p role="status" className="grid gap-2 text-muted text-sm">
            <progress aria-label="Download" className="h-1.5 w-full accent-accent" />
            <span className="figures">{formatBytes(receivedBytes)} so far</span>
          </p>
        )}
      </FormDialog>
    </Section>
  );
}
