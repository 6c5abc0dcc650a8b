import type { BrowserSession } from "@securewave/contracts";
import { useEffect, useRef, useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { CodeField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { PageTitle } from "../../components/page.tsx";
import { WorkBar } from "../../components/work-bar.tsx";

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

interface CodeStepProps {
  readonly credentials: Credentials;
  readonly onOpened: (opened: BrowserSession) => Promise<void>;
  readonly onBack: () => void;
}

/** The second step of a log-in: a code of the authenticator app, or a recovery code. */
export function CodeStep({ credentials, onOpened, onBack }: CodeStepProps) {
  const [isRecovery, setRecovery] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each kind of code has a field of its own
  useEffect(() => field.current?.focus(), [isRecovery]);

  async function submit(values: FormValues): Promise<void> {
    await onOpened(await client.session.open({ body: { ...credentials, code: values.text("code") } }));
  }

  return (
    <>
      <PageTitle
        isNext
        title="One more step"
        lead={
          isRecovery
            ? "Enter one of the recovery codes that you kept. Each works once."
            : "Enter the code that your authenticator app shows for this service."
        }
      />
      <Form key={String(isRecovery)} onSubmit={submit}>
        {({ isPending }) => (
          <>
            <CodeField ref={field} kind={isRecovery ? "recovery" : "app"} />
            <WorkBar />
            <Button type="submit" tone="primary" isPending={isPending}>
              Log in
            </Button>
          </>
        )}
      </Form>
      <div className="mt-6 flex flex-wrap gap-x-6 gap-y-3 text-sm">
        <TextButton onClick={() => setRecovery(!isRecovery)}>
          {isRecovery ? "Use the authenticator app" : "Use a recovery code"}
        </TextButton>
        <TextButton onClick={onBack}>Log in as somebody else</TextButton>
      </div>
    </>
  );
}

function TextButton({ children, onClick }: { children: string; onClick: () => void }) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="min-h-8 rounded-sm font-medium text-accent underline underline-offset-3"
    >
      {children}
    </button>
  );
}
