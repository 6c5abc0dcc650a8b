import { type ReactNode, useEffect, useRef } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy.tsx";
import { CodeField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { Card } from "../../components/page.tsx";
import type { Begun } from "./queries.ts";

interface SecondFactorSetUpProps {
  readonly begun: Begun;
  readonly onConfirmed: (recoveryCodes: readonly string[]) => Promise<void>;
  readonly onCancel: () => void;
}

/** What the app has to be told, and the first code that shows that it was. */
export function SecondFactorSetUp({ begun, onConfirmed, onCancel }: SecondFactorSetUpProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  async function confirm(values: FormValues): Promise<void> {
    const { recovery_codes } = await client.secondFactor.confirm({ body: { code: values.text("code") } });
    await onConfirmed(recovery_codes);
  }

  return (
    <Card>
      <h3 ref={heading} tabIndex={-1} className="mb-5 font-semibold outline-none">
        Set up your app
      </h3>
      <ol className="grid gap-7">
        <Step number={1} title="Scan this code with the app">
          <div className="grid items-start gap-5 sm:grid-cols-[auto_minmax(0,1fr)]">
            <img
              src={pictureOf(begun.qr_svg)}
              width={192}
              height={192}
              alt="QR code for the authenticator app"
              className="rounded-md border border-line bg-paper"
              draggable={false}
            />
            <Secret begun={begun} />
          </div>
        </Step>
        <Step number={2} title="Enter the code that it shows">
          <Form onSubmit={confirm} className="grid max-w-sm gap-5">
            {({ isPending }) => (
              <>
                <CodeField label="Code of the app" />
                <div className="flex flex-wrap gap-3">
                  <Button type="submit" tone="primary" isPending={isPending}>
                    Switch on
                  </Button>
                  <Button onClick={onCancel}>Cancel</Button>
                </div>
              </>
            )}
          </Form>
        </Step>
      </ol>
    </Card>
  );
}

function Secret({ begun }: { begun: Begun }) {
  return (
    <div className="grid justify-items-start gap-2.5 text-sm">
      <p className="text-muted">Or type this secret into it. It stays between you and the app.</p>
      <p className="break-all rounded-md bg-sunken px-3 py-2 font-mono">{inGroups(begun.secret)}</p>
      <div className="flex flex-wrap items-center gap-3">
        <CopyButton text={begun.secret} label="Copy secret" size="small" />
        {begun.url.startsWith("otpauth://") && (
          <a href={begun.url} className="rounded-sm font-medium text-accent underline underline-offset-3">
            Open the app on this device
          </a>
        )}
      </div>
    </div>
  );
}

function Step({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-4">
      <span
        className="figures grid size-7 place-items-center rounded-full bg-accent-soft font-semibold text-accent text-sm"
        aria-hidden="true"
      >
        {number}
      </span>
      <p className="self-center font-medium">{title}</p>
      <div className="col-span-2 sm:col-start-2">{children}</div>
    </li>
  );
}

/** As a picture nothing in it can run, whatever it holds. */
function pictureOf(svg: string): string {
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

function inGroups(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(" ") ?? secret;
}
