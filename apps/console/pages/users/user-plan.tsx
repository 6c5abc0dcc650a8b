import type { Account, UsageForStaff } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { SelectField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { ErrorState } from "../../components/page.tsx";
import { ProblemText } from "../../components/problem.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { offeredPlansQuery, planOfQuery } from "../plans/queries.ts";

interface UserPlanProps {
  readonly account: Account;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Which plan somebody has, and on request how much of it is used. */
export function UserPlanDialog({ account, isOpen, onClose }: UserPlanProps) {
  const held = useQuery({ ...planOfQuery(account.id), enabled: isOpen });
  const offered = useQuery({ ...offeredPlansQuery, enabled: isOpen });
  const plans = offered.data?.filter(({ id, is_retired }) => !is_retired || id === held.data?.id);
  const failed = [held, offered].find((query) => query.isError && !query.data);

  async function assign(values: FormValues): Promise<void> {
    const plan = await client.plans.assign({
      params: { id: account.id },
      body: { plan_id: values.text("plan_id") },
    });
    await queryClient.invalidateQueries({ queryKey: ["plans"] });
    notify(`${account.email} has the plan ${plan.name}.`);
  }

  return (
    <FormDialog
      isOpen={isOpen}
      title={`Plan of ${account.email}`}
      submitLabel="Save"
      onClose={onClose}
      onSubmit={assign}
    >
      {failed && <ErrorState error={failed.error} onRetry={failed.refetch} />}
      {held.data && plans && (
        <SelectField
          name="plan_id"
          label="Plan"
          hint="Its limits hold at once."
          defaultValue={held.data.id}
          required
        >
          {plans.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </SelectField>
      )}
      <UsageOf account={account} />
    </FormDialog>
  );
}

/** Shown when it is asked for, since looking at it is recorded. */
function UsageOf({ account }: { account: Account }) {
  const [usage, setUsage] = useState<UsageForStaff>();
  const [error, setError] = useState<unknown>();

  async function look(): Promise<void> {
    setError(undefined);
    await client.usage.ofAccount({ params: { id: account.id } }).then(setUsage, setError);
  }

  if (usage) {
    const quota = usage.quota_gib === null ? "" : ` of ${usage.quota_gib} GiB`;
    const state = { none: "", throttled: " Throttled", blocked: " Blocked" }[usage.restriction];
    const until = usage.restriction === "none" ? "" : ` until ${formatDay(usage.resets_on)}.`;
    return (
      <p role="status">
        Used this month: {usage.used_gib} GiB{quota}.{state}
        {until}
      </p>
    );
  }
  return (
    <div className="grid justify-items-start gap-2">
      <p className="text-muted text-sm">
        How much is used this month can be looked at, in whole GiB. That you looked stands in the audit trail.
      </p>
      <Button size="small" onClick={look}>
        Show usage
      </Button>
      {error !== undefined && <ProblemText error={error} />}
    </div>
  );
}
