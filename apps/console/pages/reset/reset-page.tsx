import { ApiError, accountErrors } from "@securewave/contracts";
import { CircleCheck, LoaderCircle } from "lucide-react";
import { useEffect, useState } from "react";
import { client, endHere, session } from "../../api.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { CodeField, PasswordField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { ErrorState, PageTitle } from "../../components/page.tsx";
import { takeFragmentToken } from "../../navigation.ts";
import { isRefusal } from "../../problems.ts";

interface Check {
  readonly email: string;
  readonly needs_code: boolean;
}

type State =
  | { readonly step: "checking" | "invalid" | "done" }
  | { readonly step: "failed"; readonly error: unknown }
  | { readonly step: "form"; readonly check: Check };

/** Kept beside the component, because React may make its state twice and the address bar gives the token once. */
let takenToken: string | undefined;

function takeToken(): string | undefined {
  takenToken = takeFragmentToken() ?? takenToken;
  return takenToken;
}

export function ResetPage() {
  const [token] = useState(takeToken);
  const [state, setState] = useState<State>({ step: token === undefined ? "invalid" : "checking" });
  const isChecking = state.step === "checking";

  useEffect(() => {
    if (token === undefined || !isChecking) return;
    client.passwords.checkReset({ body: { token } }).then(
      (check) => setState({ step: "form", check }),
      (error) => setState(isFinal(error) ? { step: "invalid" } : { step: "failed", error }),
    );
  }, [token, isChecking]);

  async function reset(email: string, values: FormValues): Promise<void> {
    const code = values.text("code");
    const password = values.secret("password");
    try {
      await client.passwords.reset({ body: { token: token ?? "", password, ...(code !== "" && { code }) } });
    } catch (error) {
      if (!isRefusal(error, accountErrors.linkInvalid)) throw error;
      return setState({ step: "invalid" });
    }
    takenToken = undefined;
    const own = session.state();
    if (own.status === "loggedIn" && own.account.email === email) endHere();
    setState({ step: "done" });
  }

  switch (state.step) {
    case "checking":
      return (
        <p role="status" className="flex items-center gap-3">
          <LoaderCircle className="size-5 animate-spin text-accent" aria-hidden="true" /> Looking at your
          link…
        </p>
      );
    case "failed":
      return (
        <>
          <PageTitle title="Choose a new password" />
          <ErrorState error={state.error} onRetry={() => setState({ step: "checking" })} />
        </>
      );
    case "invalid":
      return <LinkOver />;
    case "done":
      return <Done />;
    case "form":
      return <ResetForm check={state.check} onSubmit={(values) => reset(state.check.email, values)} />;
  }
}

/** Whether the service said no to the link, in contrast to not having been able to answer. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 400 || isRefusal(error, accountErrors.linkInvalid));
}

function ResetForm({ check, onSubmit }: { check: Check; onSubmit: (values: FormValues) => Promise<void> }) {
  const [isRecovery, setRecovery] = useState(false);
  return (
    <>
      <PageTitle
        title="Choose a new password"
        lead={
          <>
            For <span className="break-all">{check.email}</span>. Every log-in of the account ends with it.
          </>
        }
      />
      <Form onSubmit={onSubmit}>
        {({ isPending }) => (
          <>
            {/* Tells password managers whose password it is. */}
            <input type="hidden" name="username" autoComplete="username" value={check.email} readOnly />
            <PasswordField isNew label="New password" />
            {check.needs_code && (
              <div className="grid gap-1.5">
                <CodeField key={String(isRecovery)} kind={isRecovery ? "recovery" : "app"} />
                <button
                  type="button"
                  onClick={() => setRecovery(!isRecovery)}
                  className="justify-self-start rounded-sm text-accent text-sm underline underline-offset-3"
                >
                  {isRecovery ? "Use the authenticator app" : "Use a recovery code"}
                </button>
              </div>
            )}
            <Button type="submit" tone="primary" isPending={isPending}>
              Set the password
            </Button>
          </>
        )}
      </Form>
    </>
  );
}

function LinkOver() {
  return (
    <>
      <PageTitle
        title="This link is over"
        lead="It was used before, has ended, or lost its end on the way. Links work once; ask for a new one."
      />
      <ButtonLink to="/forgot" tone="primary">
        Ask for a new link
      </ButtonLink>
    </>
  );
}

function Done() {
  return (
    <>
      <CircleCheck className="mb-5 size-9 text-good" aria-hidden="true" />
      <PageTitle
        isNext
        title="Your password is changed"
        lead="You are logged out everywhere. Log in with the new one."
      />
      <ButtonLink to="/log-in" tone="primary">
        Log in
      </ButtonLink>
    </>
  );
}
