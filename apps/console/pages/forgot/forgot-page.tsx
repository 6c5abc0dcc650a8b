import { Link } from "@tanstack/react-router";
import { MailOpen } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { EmailField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { PageTitle } from "../../components/page.tsx";
import { WorkBar } from "../../components/work-bar.tsx";

export function ForgotPage() {
  const [sentTo, setSentTo] = useState<string>();

  async function ask(values: FormValues): Promise<void> {
    const email = values.text("email");
    await client.passwords.requestReset({ body: { email } });
    setSentTo(email);
  }

  if (sentTo !== undefined) return <LinkSent email={sentTo} onBack={() => setSentTo(undefined)} />;
  return (
    <>
      <PageTitle
        title="Forgot your password?"
        lead="Tell us your mail address, and a link comes by which you choose a new one."
      />
      <Form onSubmit={ask}>
        {({ isPending }) => (
          <>
            <EmailField autoComplete="username" />
            <WorkBar />
            <Button type="submit" tone="primary" isPending={isPending}>
              Send the link
            </Button>
          </>
        )}
      </Form>
      <p className="mt-6 text-muted text-sm">
        It came back to you?{" "}
        <Link to="/log-in" className="font-medium text-accent underline underline-offset-3">
          Log in
        </Link>
      </p>
    </>
  );
}

function LinkSent({ email, onBack }: { email: string; onBack: () => void }) {
  return (
    <>
      <MailOpen className="mb-5 size-9 text-accent" aria-hidden="true" />
      <PageTitle isNext title="Check your mail" />
      <p className="-mt-5 text-muted">
        If <strong className="break-all font-semibold text-ink">{email}</strong> has an account here, a link
        is on its way. It works once, and not for long. Until you use it, your password stays as it is.
      </p>
      <div className="mt-8 flex flex-wrap gap-3">
        <ButtonLink to="/log-in" tone="primary">
          To the log-in
        </ButtonLink>
        <Button tone="quiet" onClick={onBack}>
          Use another address
        </Button>
      </div>
    </>
  );
}
