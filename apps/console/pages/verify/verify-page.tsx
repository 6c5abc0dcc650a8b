import { CircleCheck, LoaderCircle, MailX } from "lucide-react";
import { useEffect, useState } from "react";
import { client } from "../../api.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { EmailField } from "../../components/fields.tsx";
import { Form } from "../../components/form.tsx";
import { PageTitle } from "../../components/page.tsx";
import { takeFragmentToken } from "../../navigation.ts";
import { explain } from "../../problems.ts";

type Outcome = { readonly email: string } | { readonly problem: string } | undefined;

/** The token works once, and React may run an effect twice: the answer is kept for the page's life. */
let verification: Promise<Outcome> | undefined;

async function verify(): Promise<Outcome> {
  const token = takeFragmentToken();
  if (token === undefined) return { problem: "The link is incomplete. Open it from the mail once more." };
  try {
    return await client.accounts.verifyEmail({ body: { token } });
  } catch (error) {
    return { problem: explain(error) };
  }
}

export function VerifyPage() {
  const [outcome, setOutcome] = useState<Outcome>();

  useEffect(() => {
    if (verification === undefined || location.hash !== "") verification = verify();
    void verification.then(setOutcome);
  }, []);

  if (outcome === undefined) {
    return (
      <p role="status" className="flex items-center gap-3">
        <LoaderCircle className="size-5 animate-spin text-accent" aria-hidden="true" /> Confirming your
        address…
      </p>
    );
  }
  if ("problem" in outcome) return <Failed problem={outcome.problem} />;
  return (
    <div role="status">
      <CircleCheck className="mb-5 size-9 text-good" aria-hidden="true" />
      <PageTitle
        title="Address confirmed"
        lead={`${outcome.email} is yours. You can log in with it from now on.`}
      />
      <ButtonLink to="/log-in" tone="primary">
        Log in
      </ButtonLink>
    </div>
  );
}

function Failed({ problem }: { problem: string }) {
  const [isSent, setSent] = useState(false);
  return (
    <>
      <MailX className="mb-5 size-9 text-bad" aria-hidden="true" />
      <PageTitle title="That did not work" lead={problem} />
      <Form
        onSubmit={async (values) => {
          await client.accounts.requestVerification({ body: { email: values.text("email") } });
          setSent(true);
        }}
      >
        {({ isPending }) => (
          <>
            <EmailField />
            <Button type="submit" tone="primary" isPending={isPending}>
              Send a fresh link
            </Button>
            <p role="status" className="text-muted text-sm">
              {isSent && "If this address waits to be confirmed, a mail is on its way."}
            </p>
          </>
        )}
      </Form>
    </>
  );
}
