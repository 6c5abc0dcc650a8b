import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { client, session } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { EmailField, Form, type FormValues, PasswordField } from "../../components/form.tsx";
import { PageTitle } from "../../components/page.tsx";
import { ResendMail } from "../../components/resend-mail.tsx";
import { Notice } from "../../components/state.tsx";
import { explain, isUnverified } from "../../problems.ts";
import { serviceQuery } from "../../queries.ts";

const route = getRouteApi("/visitor/log-in");

export function LogInPage() {
  const router = useRouter();
  const { next } = route.useSearch();
  const service = useQuery(serviceQuery);
  const [email, setEmail] = useState("");

  async function logIn(values: FormValues): Promise<void> {
    setEmail(values.text("email"));
    const opened = await client.sessions.logIn({
      body: { email: values.text("email"), password: values.secret("password"), delivery: "cookie" },
    });
    session.adopt(opened);
    await router.navigate({ to: next ?? "/", replace: true });
  }

  return (
    <>
      <PageTitle title="Log in" />
      {service.data?.setup_needed && (
        <div className="mb-6">
          <Notice tone="waiting" title="This service is new">
            Its first admin is made with the link that SecureWave printed when it started.
          </Notice>
        </div>
      )}
      <Form
        onSubmit={logIn}
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
            <EmailField autoComplete="username" />
            <PasswordField />
            <Button type="submit" tone="primary" isPending={isPending}>
              Log in
            </Button>
          </>
        )}
      </Form>
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
