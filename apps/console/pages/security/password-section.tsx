import { useState } from "react";
import { client, session } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { PasswordField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Section } from "../../components/page.tsx";
import { codeOf, ProofFields } from "../../components/proof-fields.tsx";
import { notify } from "../../components/toast.tsx";
import { queryClient } from "../../queries.ts";
import { useAccount } from "../../use-session.ts";
import { logInsQuery } from "./queries.ts";

export function PasswordSection() {
  const [isOpen, setOpen] = useState(false);
  const account = useAccount();

  async function change(values: FormValues): Promise<void> {
    await client.passwords.change({
      body: {
        current_password: values.secret("current_password"),
        password: values.secret("password"),
        ...codeOf(values),
      },
    });
    notify("Your password is changed. Your other log-ins have ended.");
    await Promise.allSettled([session.restore(), queryClient.invalidateQueries(logInsQuery)]);
  }

  return (
    <Section title="Password" lead="Long is better than complicated.">
      <Button onClick={() => setOpen(true)}>Change password…</Button>
      <FormDialog
        isOpen={isOpen}
        title="Change your password"
        lead={<p>Your other log-ins end with it; this one stays.</p>}
        submitLabel="Change password"
        onClose={() => setOpen(false)}
        onSubmit={change}
      >
        {/* Tells password managers whose password it is. */}
        <input type="hidden" name="username" autoComplete="username" value={account?.email ?? ""} readOnly />
        <PasswordField isNew label="New password" />
        <ProofFields name="current_password" label="Present password" />
      </FormDialog>
    </Section>
  );
}
