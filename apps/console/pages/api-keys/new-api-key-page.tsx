import { SCOPES } from "@securewave/contracts";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { GroupError, NumberField, TextField } from "../../components/fields.tsx";
import { Form, type FormValues, useFieldProblem } from "../../components/form.tsx";
import { PageTitle } from "../../components/page.tsx";
import { ProofFields, proofOf } from "../../components/proof-fields.tsx";
import { PageError } from "../../problems.ts";
import { queryClient } from "../../queries.ts";
import { useRole } from "../../use-session.ts";
import { KeyText, type ShownKey } from "./key-text.tsx";
import { apiKeysQuery } from "./queries.ts";
import { scopesFor } from "./scopes.ts";

const UP = { label: "API keys", link: { to: "/account/api-keys" } } as const;
/** As the contract has them. */
const DAYS = { initial: 90, max: 3650 };
const REQUESTS = { initial: 300, max: 10_000 };

export function NewApiKeyPage() {
  const router = useRouter();
  const [shown, setShown] = useState<ShownKey>();

  async function create(values: FormValues): Promise<void> {
    const ticked = values.ticked("scopes");
    const scopes = SCOPES.filter((scope) => ticked.includes(scope));
    if (scopes.length === 0) throw new PageError("Tick what the key may do.", "scopes");
    const made = await client.apiKeys.create({
      body: {
        name: values.text("name"),
        scopes,
        expires_in_days: Number(values.text("expires_in_days")),
        requests_per_minute: Number(values.text("requests_per_minute")),
        ...proofOf(values),
      },
    });
    void queryClient.invalidateQueries(apiKeysQuery);
    setShown(made);
  }

  if (shown) {
    return (
      <>
        <PageTitle isNext title="Your API key is made" />
        <KeyText shown={shown} onDone={() => void router.navigate({ to: "/account/api-keys" })} />
      </>
    );
  }
  return (
    <>
      <PageTitle
        title="Make an API key"
        lead="One for each program, so that you can end one without the others."
        up={UP}
      />
      <Form onSubmit={create} className="grid max-w-2xl gap-7">
        {({ isPending }) => (
          <>
            <TextField
              name="name"
              label="Name"
              placeholder="Backup script"
              hint="So that you know it again in the list."
              maxLength={60}
              autoComplete="off"
              missing="Give the key a name."
              required
            />
            <ScopeChoice />
            <div className="grid items-start gap-5 sm:grid-cols-2">
              <NumberField
                name="expires_in_days"
                label="Ends after (days)"
                min={1}
                max={DAYS.max}
                defaultValue={DAYS.initial}
                hint="The shorter, the less a lost key can do."
              />
              <NumberField
                name="requests_per_minute"
                label="Requests per minute"
                min={1}
                max={REQUESTS.max}
                defaultValue={REQUESTS.initial}
                hint="More are told to wait."
              />
            </div>
            <div className="grid max-w-sm gap-5">
              <ProofFields hint="So that nobody makes keys in your name." />
            </div>
            <div>
              <Button type="submit" tone="primary" isPending={isPending} className="max-sm:w-full">
                Make the key
              </Button>
            </div>
          </>
        )}
      </Form>
    </>
  );
}

function ScopeChoice() {
  const groups = scopesFor(useRole());
  const { clear } = useFieldProblem("scopes");
  return (
    <fieldset>
      <legend className="font-medium text-sm">What it may do</legend>
      <p className="mb-3 text-muted text-sm">As little as will do. No key can change how you log in.</p>
      <div className="grid gap-5">
        {groups.map(({ title, scopes }) => (
          <fieldset key={title}>
            {groups.length > 1 && <legend className="mb-1.5 text-muted text-xs">{title}</legend>}
            <div className="overflow-hidden rounded-md border border-line bg-surface">
              {scopes.map(({ scope, text }) => (
                <label
                  key={scope}
                  className="flex min-h-12 items-center gap-3.5 border-line border-t px-4 py-2 transition-colors first:border-t-0 hover:bg-hover has-checked:bg-accent-soft has-focus-visible:-outline-offset-2 has-focus-visible:outline-2 has-focus-visible:outline-accent"
                >
                  <input
                    type="checkbox"
                    name="scopes"
                    value={scope}
                    className="size-4 shrink-0"
                    onChange={clear}
                  />
                  <span className="min-w-0">
                    <span className="block text-sm">{text}</span>
                    <span className="block font-mono text-muted text-xs">{scope}</span>
                  </span>
                </label>
              ))}
            </div>
          </fieldset>
        ))}
      </div>
      <GroupError name="scopes" />
    </fieldset>
  );
}
