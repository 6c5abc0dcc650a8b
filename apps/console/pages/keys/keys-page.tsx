import type { KeyRings } from "@securewave/contracts/keys";
import { useQuery } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { ErrorState, PageTitle, Section, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { Notice, StateBadge, type Tone } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay, plural } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { keysQuery } from "./queries.ts";

type Ring = "signing" | "encryption";
type KeyState = KeyRings["signing"][number]["state"] | KeyRings["encryption"][number]["state"];

const STATES = {
  arriving: { tone: "waiting", word: "On its way" },
  signing: { tone: "good", word: "At work" },
  verifying: { tone: "still", word: "Checks old tokens" },
  sealing: { tone: "good", word: "At work" },
  opening: { tone: "still", word: "Opens old secrets" },
} as const satisfies Record<KeyState, { tone: Tone; word: string }>;

export function KeysPage() {
  const rings = useQuery(keysQuery);
  return (
    <>
      <PageTitle
        title="Keys"
        lead="What the service signs and seals with. A new key goes to work without anybody being logged out. No key is shown here, ever."
      />
      {rings.isPending && <SkeletonRows label="Loading keys" count={3} />}
      {rings.isError && !rings.data && <ErrorState error={rings.error} onRetry={rings.refetch} />}
      {rings.data && (
        <div>
          <SigningKeys keys={rings.data.signing} />
          <EncryptionKeys keys={rings.data.encryption} />
          {rings.data.master_key_previous && (
            <Notice tone="waiting" title="MASTER_KEY_PREVIOUS can go">
              Every key is sealed under the present MASTER_KEY. Take the former one out of the settings.
            </Notice>
          )}
        </div>
      )}
    </>
  );
}

function SigningKeys({ keys }: { keys: KeyRings["signing"] }) {
  return (
    <Section title="Signing" lead="Access tokens of programs carry its signature.">
      <div className="grid justify-items-start gap-4 *:first:w-full">
        <Rows label="Signing keys">
          {keys.map((key) => (
            <KeyRow key={key.kid} name={`Key ${key.kid}`} algorithm={key.algorithm} state={key.state}>
              {madeOn(key.created_on)}
              {key.retires_on !== null && `, until ${formatDay(key.retires_on)}`}
            </KeyRow>
          ))}
        </Rows>
        <Rotate ring="signing" label="New signing key…" title="Put a new signing key to work?">
          <p>Tokens of the present key stay good until they end by themselves; nobody is logged out.</p>
        </Rotate>
      </div>
    </Section>
  );
}

function EncryptionKeys({ keys }: { keys: KeyRings["encryption"] }) {
  return (
    <Section title="Encryption" lead="Secrets in the store are sealed under it.">
      <div className="grid justify-items-start gap-4 *:first:w-full">
        <Rows label="Encryption keys">
          {keys.map((key) => (
            <KeyRow key={key.number} name={`Key ${key.number}`} algorithm={key.algorithm} state={key.state}>
              {madeOn(key.created_on)}. It seals {plural(key.sealed, "secret")}, and{" "}
              {plural(key.preshared_keys, "device has a preshared key", "devices have preshared keys")} from
              it.
            </KeyRow>
          ))}
        </Rows>
        <Rotate ring="encryption" label="New encryption key…" title="Put a new encryption key to work?">
          <p>
            Secrets are sealed under the new key one after the other, while the service runs. The former key
            stays as long as something needs it.
          </p>
        </Rotate>
      </div>
    </Section>
  );
}

function madeOn(day: string | null): string {
  return day === null ? "The key of the configuration" : `Made ${formatDay(day)}`;
}

interface KeyRowProps {
  readonly name: string;
  readonly algorithm: string;
  readonly state: KeyState;
  readonly children: ReactNode;
}

function KeyRow({ name, algorithm, state, children }: KeyRowProps) {
  const { tone, word } = STATES[state];
  return (
    <Row
      title={
        <>
          {name}
          <StateBadge tone={tone}>{word}</StateBadge>
        </>
      }
      detail={children}
      actions={<span className="font-mono text-muted text-xs">{algorithm}</span>}
    />
  );
}

interface RotateProps {
  readonly ring: Ring;
  readonly label: string;
  readonly title: string;
  readonly children: ReactNode;
}

function Rotate({ ring, label, title, children }: RotateProps) {
  const [isAsked, setAsked] = useState(false);

  async function rotate(): Promise<void> {
    queryClient.setQueryData(keysQuery.queryKey, await client.keys.rotate({ body: { what: ring } }));
    notify("The new key is on its way to all processes.");
  }

  return (
    <div>
      <Button icon={RotateCw} onClick={() => setAsked(true)}>
        {label}
      </Button>
      <ConfirmDialog
        isOpen={isAsked}
        title={title}
        confirmLabel="Rotate"
        tone="primary"
        onClose={() => setAsked(false)}
        onConfirm={rotate}
      >
        {children}
      </ConfirmDialog>
    </div>
  );
}
