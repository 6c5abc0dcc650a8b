import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { MailOpen } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { client } from "../../api.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { EmailField, GroupError, PasswordField } from "../../components/fields.tsx";
import { Form, type FormValues, useFieldProblem } from "../../components/form.tsx";
import { PageTitle } from "../../components/page.tsx";
import { PolicyLink } from "../../components/policy-link.tsx";
import { ResendMail } from "../../components/resend-mail.tsx";
import { WorkBar } from "../../components/work-bar.tsx";
import { serviceQuery } from "../../queries.ts";

export function SignUpPage() {
  const service = useQuery(serviceQuery);
  const [sentTo, setSentTo] = useState<string>();

  async function register(values: FormValues): Promise<void> {
    const email = values.text("email");
    const website = values.secret("website");
    await client.accounts.register({
      body: {
        email,
        password: values.secret("password"),
        policy_version: values.text("policy_version"),
        ...(website !== "" && { website }),
      },
    });
    setSentTo(email);
  }

  if (sentTo !== undefined) return <CheckMail email={sentTo} onBack={() => setSentTo(undefined)} />;
  if (service.data?.registration === "closed") return <RegistrationClosed />;
  return (
    <>
      <PageTitle title="Make an account" lead="All we ask for is an address that reaches you." />
      <Form onSubmit={register}>
        {({ isPending }) => (
          <>
            <EmailField />
            <PasswordField isNew />
            {service.data && <Agreement service={service.data} />}
            <Bait />
            <WorkBar />
            <Button type="submit" tone="primary" isPending={isPending} disabled={!service.data}>
              Sign up
            </Button>
          </>
        )}
      </Form>
      <p className="mt-6 text-muted text-sm">
        You have one?{" "}
        <Link to="/log-in" className="font-medium text-accent underline underline-offset-3">
          Log in
        </Link>
      </p>
    </>
  );
}

interface AgreementProps {
  readonly service: { readonly policy_version: string; readonly policy_url: string };
}

function Agreement({ service: { policy_version: version, policy_url: url } }: AgreementProps) {
  const { problem, clear } = useFieldProblem("policy_version");
  return (
    <div>
      <label className="flex min-h-11 items-center gap-3">
        <input
          type="checkbox"
          name="policy_version"
          value={version}
          className="size-4.5 shrink-0"
          data-missing="Tick this to go on."
          aria-invalid={problem === undefined ? undefined : true}
          onChange={clear}
          required
        />
        <span>
          I agree to the <PolicyLink url={url}>privacy policy</PolicyLink>, version {version}
        </span>
      </label>
      <GroupError name="policy_version" />
    </div>
  );
}

/** A field that people never see and programs fill in: the service takes who fills it in for a program. */
function Bait() {
  return (
    <div aria-hidden="true" className="sr-only">
      <label>
        Leave this empty
        <input type="text" name="website" tabIndex={-1} autoComplete="off" maxLength={200} />
      </label>
    </div>
  );
}

function CheckMail({ email, onBack }: { email: string; onBack: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <MailOpen className="mb-5 size-9 text-accent" aria-hidden="true" />
      <h1 ref={heading} tabIndex={-1} className="font-semibold text-2xl">
        Check your mail
      </h1>
      <p className="mt-2 text-muted">
        We wrote to <strong className="break-all font-semibold text-ink">{email}</strong>. Open the link in
        that mail to confirm the address; then log in.
      </p>
      <p className="mt-6 text-muted text-sm">
        Nothing there? Look into the spam folder. <ResendMail email={email} />
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

function RegistrationClosed() {
  return (
    <>
      <PageTitle
        title="Registration is closed"
        lead="Accounts of this service are made by its operator. Ask there for one."
      />
      <ButtonLink to="/log-in" className="justify-self-start">
        To the log-in
      </ButtonLink>
    </>
  );
}
