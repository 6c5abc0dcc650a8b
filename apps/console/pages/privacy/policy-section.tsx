import type { PrivacyState } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { Form } from "../../components/form.tsx";
import { Section } from "../../components/page.tsx";
import { PolicyLink } from "../../components/policy-link.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { queryClient, serviceQuery } from "../../queries.ts";
import { privacyQuery } from "./queries.ts";

export function PolicySection({ policy }: { readonly policy: PrivacyState["policy"] }) {
  const { version, agreed_version, agreed_on } = policy;
  const url = useQuery(serviceQuery).data?.policy_url;

  async function agree(): Promise<void> {
    await client.privacy.agree({ body: { version } });
    await queryClient.invalidateQueries(privacyQuery);
    notify("You agreed to the privacy policy.");
  }

  return (
    <Section
      title="Privacy policy"
      lead={
        <>
          <PolicyLink url={url}>Version {version}</PolicyLink> holds today. That nothing is kept of your use
          is proved every day: see the{" "}
          <a href="/zero-log" className="underline underline-offset-2">
            zero-log report
          </a>
          .
        </>
      }
    >
      {agreed_version === version && agreed_on ? (
        <p>You agreed to it on {formatDay(agreed_on)}.</p>
      ) : (
        <div className="grid justify-items-start gap-3">
          <p>
            {agreed_version === null
              ? "You have not agreed to it yet."
              : `You agreed to version ${agreed_version}.`}
          </p>
          <Form onSubmit={agree} className="grid justify-items-start gap-3">
            {({ isPending }) => (
              <Button type="submit" isPending={isPending}>
                Agree to version {version}
              </Button>
            )}
          </Form>
        </div>
      )}
    </Section>
  );
}
