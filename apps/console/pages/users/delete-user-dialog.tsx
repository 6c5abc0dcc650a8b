import type { Account } from "@securewave/contracts";
import { client } from "../../api.ts";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { queryClient } from "../../queries.ts";

interface DeleteUserDialogProps {
  readonly account: Account;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export function DeleteUserDialog({ account, isOpen, onClose }: DeleteUserDialogProps) {
  async function erase(values: FormValues): Promise<void> {
    const is_at_once = values.ticked("is_at_once").length > 0;
    const { due_on } = await client.privacyDesk.erase({ params: { id: account.id }, body: { is_at_once } });
    await queryClient.invalidateQueries({ queryKey: ["accounts"] });
    notify(
      is_at_once
        ? `${account.email} is being erased.`
        : `${account.email} is erased on ${formatDay(due_on)}.`,
    );
  }

  return (
    <FormDialog
      isOpen={isOpen}
      title={`Delete ${account.email}?`}
      lead={
        <>
          <p>
            Devices, keys, settings and all else that belongs to the account go for good, in every backup too.
            Its owner is told by mail.
          </p>
          <p>Until the days of grace are over, everything works as before, and it can be taken back.</p>
        </>
      }
      submitLabel="Delete"
      tone="danger"
      onClose={onClose}
      onSubmit={erase}
    >
      <label className="flex min-h-11 items-center gap-3">
        <input type="checkbox" name="is_at_once" value="yes" className="size-4.5 shrink-0" />
        Without days of grace: today, and nothing brings it back
      </label>
    </FormDialog>
  );
}
