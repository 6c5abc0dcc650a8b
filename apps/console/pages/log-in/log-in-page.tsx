import type { BrowserSession } from "@securewave/contracts";
import { sessionErrors } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { client, logIn, session } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { EmailField, PasswordField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { PageTitle } from "../../components/page.tsx";
import { ResendMail } from "../../components/resend-mail.tsx";
import { Notice } from "../../components/state.tsx";
import { WorkBar } from "../../components/work-bar.tsx";
import { parseOwnPath } from "../../own-path.ts";
import { explain, isRefusal, isUnverified } from "../../problems.ts";
import { serviceQuery } from "../../queries.ts";
import { CodeStep, type Credentials } from "./code-step.tsx";
import { PasskeyWay } from "./passkey-way.tsx";

const route = getRouteApi("/visitor/log-in");

export function LogInPage() {
  const router = useRouter();
  const { next } = route.useSearch();
  const service = useQuery(serviceQuery);
  const [email, setEmail] = useState("");
  /** What was right so far, while a code is asked for; in this page's memory and nowhere else. */
  const [credentials, setCredentials] = useState<Credentials>();

  async function enter(opened: BrowserSession): Promise<void> {
    logIn(opened);
    await router.navigate({ href: parseOwnPath(next) ?? "/", replace: true });
  }

  async function submit(values: FormValues): Promise<void> {
    const given = { email: values.text("email"), password: values.secret("password") };
    setEmail(given.email);
    try {
      await enter(await client.session.open({ body: given }));
    } catch (error) {
      if (!isRefusal(error, sessionErrors.secondFactorNeeded)) throw error;
      setCredentials(given);
    }
  }

  if (credentials) {
    return <CodeStep credentials={credentials} onOpened={enter} onBack={() => setCredentials(undefined)} />;
  }
  return (
    <>
      <PageTitle title="Log in" />
      <WhyHere isNew={service.data?.setup_needed === true} />
      <Form
        onSubmit={submit}
        explainError={(error) =>
          isUnverified(error) ? (
            <>
              {explain(error)} <ResendMail email={email} />
            </>
          ) : undefined
        }
      >
        {({ isPending }) => (
          <>
            {/* Browsers suggest passkeys where `webauthn` stands. */}
            <EmailField autoComplete="username webauthn" defaultValue={email} />
            <div className="grid gap-1.5">
              <PasswordField />
              <Link
                to="/forgot"
                className="justify-self-start rounded-sm text-accent text-sm underline underline-offset-3"
              >
                Forgot your password?
              </Link>
            </div>
            <WorkBar />
            <Button type="submit" tone="primary" isPending={isPending}>
              Log in
            </Button>
          </>
        )}
      </Form>
      <PasskeyWay onOpened={enter} />
      {service.data?.registration === "open" && (
        <p className="mt-6 text-muted text-sm">
          New here?{" "}
          <Link to="/sign-up" className="font-medium text-accent underline underline-offset-3">
            Make an account
          </Link>
        </p>
      )}
    </>
  );
}

/** What somebody should know who did not come here by themselves. */
function WhyHere({ isNew }: { isNew: boolean }) {
  const [wasEnded] = useState(() => {
    const state = session.state();
    return state.status === "visitor" && state.wasEnded;
  });
  if (!isNew && !wasEnded) return null;
  return (
    <div role="status" className="mb-6 grid gap-3">
      {wasEnded && (
        <Notice tone="waiting" title="Your log-in has ended">
          It ran out, or was ended from another window or device. Log in, and you are back where you were.
        </Notice>
      )}
      {isNew && (
        <Notice tone="waiting" title="This service is new">
          Its first admin is made with the link that SecureWave printed when it started.
        </Notice>
      )}
    </div>
  );
}
