import type { Passkey } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { ErrorState, Section, SkeletonRows } from "../../components/page.tsx";
import { ProofFields, proofOf } from "../../components/proof-fields.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { explainPasskey, hasPasskeys } from "../../passkeys.ts";
import { queryClient } from "../../queries.ts";
import { passkeysQuery } from "./queries.ts";

export function PasskeysSection() {
  const list = useQuery(passkeysQuery);
  const passkeys = list.data?.items ?? [];
  return (
    <Section
      title="Passkeys"
      lead="Log in by fingerprint, face or security key, without a password. No other site can ask for them."
    >
      <div className="grid justify-items-start gap-4 *:w-full">
        {list.isPending && <SkeletonRows label="Loading passkeys" count={1} />}
        {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
        {list.isSuccess && passkeys.length === 0 && <p className="text-muted">You have none yet.</p>}
        {passkeys.length > 0 && (
          <Rows label="Passkeys">
            {passkeys.map((passkey) => (
              <PasskeyRow key={passkey.id} passkey={passkey} />
            ))}
          </Rows>
        )}
        {hasPasskeys() ? (
          <AddPasskey />
        ) : (
          <p className="text-muted text-sm">
            To add one, open this page over HTTPS and in a browser that has passkeys.
          </p>
        )}
      </div>
    </Section>
  );
}

function refresh(): Promise<void> {
  return queryClient.invalidateQueries(passkeysQuery);
}

function NameField({ initial }: { initial?: string }) {
  return (
    <TextField
      name="name"
      label="Name"
      defaultValue={initial}
      placeholder="Anna’s laptop"
      hint="So that you know it again in this list."
      maxLength={60}
      autoComplete="off"
      missing="Give the passkey a name."
      required
    />
  );
}

function AddPasskey() {
  const [isOpen, setOpen] = useState(false);

  async function add(values: FormValues): Promise<void> {
    const { makePasskey } = await import("../../passkey-ceremony.ts");
    const options = await client.passkeys.begin({ body: proofOf(values) });
    try {
      const response = await makePasskey(options);
      const { name } = await client.passkeys.add({ body: { name: values.text("name"), response } });
      notify(`You can log in with ${name}.`);
    } catch (error) {
      const problem = explainPasskey(error);
      if (problem) throw problem;
    }
    await refresh();
  }

  return (
    <div>
      <Button icon={KeyRound} onClick={() => setOpen(true)}>
        Add a passkey…
      </Button>
      <FormDialog
        isOpen={isOpen}
        title="Add a passkey"
        lead={<p>Your browser asks next where to keep it: on this device, a phone or a security key.</p>}
        submitLabel="Go on"
        onClose={() => setOpen(false)}
        onSubmit={add}
      >
        <NameField />
        <ProofFields hint="So that nobody does this in your name." />
      </FormDialog>
    </div>
  );
}

function PasskeyRow({ passkey }: { passkey: Passkey }) {
  const [asked, setAsked] = useState<"rename" | "remove">();
  const params = { id: passkey.id };
  const close = () => setAsked(undefined);

  async function rename(values: FormValues): Promise<void> {
    await client.passkeys.rename({ params, body: { name: values.text("name") } });
    await refresh();
    notify("Renamed.");
  }

  async function remove(values: FormValues): Promise<void> {
    await client.passkeys.remove({ params, body: proofOf(values) });
    await refresh();
    notify(`${passkey.name} logs nobody in any more.`);
  }

  return (
    <Row
      title={passkey.name}
      detail={
        <>
          Since {formatDay(passkey.created_on)}
          {passkey.is_synced && ", kept in step between your devices"}
        </>
      }
      actions={
        <>
          <Button size="small" onClick={() => setAsked("rename")} aria-label={`Rename ${passkey.name}`}>
            Rename
          </Button>
          <Button
            size="small"
            tone="dangerQuiet"
            onClick={() => setAsked("remove")}
            aria-label={`Remove ${passkey.name}`}
          >
            Remove
          </Button>
        </>
      }
    >
      <FormDialog
        isOpen={asked === "rename"}
        title={`Rename ${passkey.name}`}
        submitLabel="Rename"
        onClose={close}
        onSubmit={rename}
      >
        <NameField initial={passkey.name} />
      </FormDialog>
      <FormDialog
        isOpen={asked === "remove"}
        title={`Remove ${passkey.name}?`}
        lead={
          <p>It logs nobody in from that moment. Your device may still show it until you delete it there.</p>
        }
        submitLabel="Remove"
        tone="danger"
        onClose={close}
        onSubmit={remove}
      >
        <ProofFields />
      </FormDialog>
    </Row>
  );
}
