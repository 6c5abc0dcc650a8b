import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { client, logIn } from "../../api.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { EmailField, PasswordField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { PageTitle } from "../../components/page.tsx";
import { takeFragmentToken } from "../../navigation.ts";
import { queryClient, serviceQuery } from "../../queries.ts";

/** Kept beside the component, because React may make its state twice and the address bar gives the token once. */
let takenToken: string | undefined;

function takeToken(): string | undefined {
  takenToken = takeFragmentToken() ?? takenToken;
  return takenToken;
}

export function SetUpPage() {
  const router = useRouter();
  const [token] = useState(takeToken);

  async function setUp(values: FormValues): Promise<void> {
    const email = values.text("email");
    const password = values.secret("password");
    logIn(await client.service.setUp({ body: { token: token ?? "", email, password } }));
    await queryClient.invalidateQueries(serviceQuery);
    await router.navigate({ to: "/admin", replace: true });
  }

  if (token === undefined) {
    return (
      <>
        <PageTitle
          title="The link is incomplete"
          lead="Open the whole link that SecureWave printed when it started; it ends in a token."
        />
        <ButtonLink to="/log-in">To the log-in</ButtonLink>
      </>
    );
  }
  return (
    <>
      <PageTitle title="Welcome aboard" lead="Make the first admin. This link works once." />
      <Form onSubmit={setUp}>
        {({ isPending }) => (
          <>
            <EmailField />
            <PasswordField isNew />
            <Button type="submit" tone="primary" isPending={isPending}>
              Make the admin
            </Button>
          </>
        )}
      </Form>
    </>
  );
}
