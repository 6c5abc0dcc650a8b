import type { SecondFactor } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { PasswordField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { ErrorState, Section, SkeletonRows } from "../../components/page.tsx";
import { ProofFields, proofOf } from "../../components/proof-fields.tsx";
import { Notice, StateBadge } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay, plural } from "../../format.ts";
import { queryClient, secondFactorQuery } from "../../queries.ts";
import type { Begun } from "./queries.ts";
import { RecoveryCodes } from "./recovery-codes.tsx";
import { SecondFactorSetUp } from "./second-factor-set-up.tsx";

/** So few recovery codes left ask for new ones. */
const FEW_CODES = 3;

export function SecondFactorSection() {
  const factor = useQuery(secondFactorQuery);
  const [begun, setBegun] = useState<Begun>();
  const [codes, setCodes] = useState<readonly string[]>();

  async function showCodes(fresh: readonly string[]): Promise<void> {
    setCodes(fresh);
    setBegun(undefined);
    await queryClient.invalidateQueries(secondFactorQuery);
  }

  function content() {
    if (codes) return <RecoveryCodes codes={codes} onDone={() => setCodes(undefined)} />;
    if (begun)
      return <SecondFactorSetUp begun={begun} onConfirmed={showCodes} onCancel={() => setBegun(undefined)} />;
    if (factor.isPending) return <SkeletonRows label="Loading the second factor" count={1} />;
    if (!factor.data) return <ErrorState error={factor.error} onRetry={factor.refetch} />;
    return factor.data.is_enabled ? (
      <SwitchedOn factor={factor.data} onRenewed={showCodes} />
    ) : (
      <SwitchedOff onBegun={setBegun} />
    );
  }

  return (
    <Section
      title="Authenticator app"
      lead="A code of your phone beside the password: a stolen password alone opens nothing."
    >
      {content()}
    </Section>
  );
}

function SwitchedOff({ onBegun }: { onBegun: (begun: Begun) => void }) {
  const [isOpen, setOpen] = useState(false);

  async function begin(values: FormValues): Promise<void> {
    onBegun(await client.secondFactor.begin({ body: { password: values.secret("password") } }));
  }

  return (
    <div className="grid justify-items-start gap-4">
      <p className="text-muted">Not set up. Any app for time-based codes will do.</p>
      <Button icon={ShieldCheck} onClick={() => setOpen(true)}>
        Set up…
      </Button>
      <FormDialog
        isOpen={isOpen}
        title="Set up an authenticator app"
        lead={<p>First your password, so that nobody does this in your name.</p>}
        submitLabel="Go on"
        onClose={() => setOpen(false)}
        onSubmit={begin}
      >
        <PasswordField />
      </FormDialog>
    </div>
  );
}

interface SwitchedOnProps {
  readonly factor: SecondFactor;
  readonly onRenewed: (codes: readonly string[]) => Promise<void>;
}

function SwitchedOn({ factor, onRenewed }: SwitchedOnProps) {
  const [asked, setAsked] = useState<"renew" | "disable">();
  const close = () => setAsked(undefined);

  async function renew(values: FormValues): Promise<void> {
    const { recovery_codes } = await client.secondFactor.renewRecoveryCodes({ body: proofOf(values) });
    await onRenewed(recovery_codes);
  }

  async function disable(values: FormValues): Promise<void> {
    await client.secondFactor.disable({ body: proofOf(values) });
    await queryClient.invalidateQueries(secondFactorQuery);
    notify("The authenticator app is switched off.");
  }

  return (
    <div className="grid gap-4">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <StateBadge tone="good">On</StateBadge>
        <span className="text-muted">
          {factor.enabled_on !== null && `Since ${formatDay(factor.enabled_on)}. `}
          {plural(factor.recovery_codes_left, "recovery code")} left.
        </span>
      </p>
      {factor.recovery_codes_left <= FEW_CODES && (
        <Notice tone="warn" title="Few recovery codes are left">
          Without your phone and without a code you cannot log in. Make new ones.
        </Notice>
      )}
      <div className="flex flex-wrap gap-3">
        <Button onClick={() => setAsked("renew")}>New recovery codes…</Button>
        <Button tone="dangerQuiet" onClick={() => setAsked("disable")}>
          Switch off…
        </Button>
      </div>
      <FormDialog
        isOpen={asked === "renew"}
        title="New recovery codes?"
        lead={<p>The ones that you have end.</p>}
        submitLabel="Make new codes"
        onClose={close}
        onSubmit={renew}
      >
        <ProofFields />
      </FormDialog>
      <FormDialog
        isOpen={asked === "disable"}
        title="Switch the authenticator app off?"
        lead={<p>Your password alone will open the account. The recovery codes end too.</p>}
        submitLabel="Switch off"
        tone="danger"
        onClose={close}
        onSubmit={disable}
      >
        <ProofFields />
      </FormDialog>
    </div>
  );
}
