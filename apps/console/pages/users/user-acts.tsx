import type { Account } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { Ellipsis } from "lucide-react";
import { type ReactNode, useState } from "react";
import { client } from "../../api.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { ConfirmDialog, Dialog } from "../../components/dialog.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { DeleteUserDialog } from "./delete-user-dialog.tsx";
import { deletionOfQuery } from "./queries.ts";
import { UserPlanDialog } from "./user-plan.tsx";

type Step = "list" | "plan" | "log-out" | "reset-factor" | "delete" | "keep";

/** What an admin does seldom with somebody's account. */
export function UserActs({ account }: { account: Account }) {
  const [step, setStep] = useState<Step>();
  const params = { id: account.id };
  const close = () => setStep(undefined);

  const held = useQuery({ ...deletionOfQuery(account.id), enabled: step === "list" });

  async function keep(): Promise<void> {
    await client.privacyDesk.keep({ params });
    await queryClient.invalidateQueries(deletionOfQuery(account.id));
    notify(`${account.email} stays.`);
  }

  async function logOutEverywhere(): Promise<void> {
    await client.sessions.endAllOf({ params });
    notify(`${account.email} is logged out everywhere.`);
  }

  async function resetFactor(): Promise<void> {
    await client.secondFactor.resetOf({ params });
    notify(`${account.email} logs in with the password alone.`);
  }

  return (
    <>
      <IconButton icon={Ellipsis} label={`More for ${account.email}`} onClick={() => setStep("list")} />
      <Dialog isOpen={step === "list"} title={account.email} onClose={close}>
        <div className="grid gap-5">
          <Act
            title="Plan"
            text="What this account may use, and how much of it is used."
            button={<Button onClick={() => setStep("plan")}>Plan…</Button>}
          />
          <Act
            title="Log out everywhere"
            text="Every log-in ends at once. Devices and API keys go on working."
            button={<Button onClick={() => setStep("log-out")}>Log out…</Button>}
          />
          <Act
            title="Reset the second factor"
            text="For somebody who lost the phone, the recovery codes and every passkey."
            button={<Button onClick={() => setStep("reset-factor")}>Reset…</Button>}
          />
          {held.data?.deletion ? (
            <Act
              title="Keep the account"
              text={`It is erased on ${formatDay(held.data.deletion.due_on)}. Until then it works as before.`}
              button={<Button onClick={() => setStep("keep")}>Keep…</Button>}
            />
          ) : (
            <Act
              title="Delete the account"
              text="Its rows go, and the key without which no backup of them can be read."
              button={
                <Button tone="dangerQuiet" disabled={!held.data} onClick={() => setStep("delete")}>
                  Delete…
                </Button>
              }
            />
          )}
        </div>
      </Dialog>
      <DeleteUserDialog account={account} isOpen={step === "delete"} onClose={close} />
      <ConfirmDialog
        isOpen={step === "keep"}
        title={`Keep ${account.email}?`}
        confirmLabel="Keep"
        tone="primary"
        onClose={close}
        onConfirm={keep}
      >
        <p>The account is not erased. Its owner is told by mail.</p>
      </ConfirmDialog>
      <UserPlanDialog account={account} isOpen={step === "plan"} onClose={close} />
      <ConfirmDialog
        isOpen={step === "log-out"}
        title={`Log ${account.email} out everywhere?`}
        confirmLabel="Log out everywhere"
        onClose={close}
        onConfirm={logOutEverywhere}
      >
        <p>Every browser and program of this account has to log in anew.</p>
      </ConfirmDialog>
      <ConfirmDialog
        isOpen={step === "reset-factor"}
        title={`Reset the second factor of ${account.email}?`}
        confirmLabel="Reset"
        onClose={close}
        onConfirm={resetFactor}
      >
        <p>
          The authenticator app, the recovery codes and all passkeys come off, and every log-in ends. From
          then on the password alone opens the account.
        </p>
        <p>Make sure first that it is really the owner who asks you: this is how accounts are stolen.</p>
      </ConfirmDialog>
    </>
  );
}

function Act({ title, text, button }: { title: string; text: string; button: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 border-line border-t pt-5 first:border-t-0 first:pt-0">
      <div className="min-w-0 grow basis-56">
        <h3 className="font-medium">{title}</h3>
        <p className="text-muted text-sm">{text}</p>
      </div>
      {button}
    </div>
  );
}
