import type { Plan } from "@securewave/contracts";
import { client } from "../../api.ts";
import { NumberField, SelectField, TextField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { TAGS_PATTERN } from "../../components/tags.ts";
import { notify } from "../../components/toast.tsx";
import { queryClient } from "../../queries.ts";
import { gigabytesOf, megabitsOf, planOf } from "./plan-values.ts";

/** As the contract has them: 1 PiB, 64 kbit/s, 40 Gbit/s. */
const GIGABYTES_MAX = 1_125_899;
const MEGABITS_MIN = 0.064;
const MEGABITS_MAX = 40_000;
const COUNT_MAX = 1000;
const MEGABITS_INITIAL = 1;

interface PlanDialogProps {
  readonly isOpen: boolean;
  /** Undefined for a new one. */
  readonly plan?: Plan;
  readonly onClose: () => void;
}

export function PlanDialog({ isOpen, plan, onClose }: PlanDialogProps) {
  async function save(values: FormValues): Promise<void> {
    const body = planOf(values);
    const saved = plan
      ? await client.plans.change({ params: { id: plan.id }, body })
      : await client.plans.create({ body });
    await queryClient.invalidateQueries({ queryKey: ["plans"] });
    notify(plan ? `${saved.name} is changed, for all who have it.` : `${saved.name} can be given to users.`);
  }

  return (
    <FormDialog
      isOpen={isOpen}
      title={plan ? `Change ${plan.name}` : "Add a plan"}
      lead={plan && <p>It holds at once for everybody who has this plan.</p>}
      submitLabel={plan ? "Save" : "Add plan"}
      onClose={onClose}
      onSubmit={save}
    >
      <TextField
        name="name"
        label="Name"
        hint="Customers read it."
        maxLength={60}
        autoComplete="off"
        defaultValue={plan?.name}
        missing="The plan needs a name."
        required
      />
      <NumberField
        name="speed_kbit_per_second"
        label="Speed, in Mbit/s"
        hint="Of each device, in each direction. Empty: no limit."
        min={MEGABITS_MIN}
        max={MEGABITS_MAX}
        step="any"
        inputMode="decimal"
        defaultValue={megabitsOf(plan?.speed_kbit_per_second)}
        required={false}
        wrong="A number, please."
      />
      <NumberField
        name="quota_bytes"
        label="Traffic a month, in GB"
        hint="Both directions together. Empty: unlimited."
        min={0.01}
        max={GIGABYTES_MAX}
        step="any"
        defaultValue={gigabytesOf(plan?.quota_bytes)}
        required={false}
        wrong="A number, please."
      />
      <SelectField name="on_quota" label="When it is used up" defaultValue={plan?.on_quota ?? "throttle"}>
        <option value="throttle">Go on at the fair-use speed</option>
        <option value="block">No connection until the month ends</option>
      </SelectField>
      <NumberField
        name="throttle_kbit_per_second"
        label="Fair-use speed, in Mbit/s"
        hint="Of each device, in each direction."
        min={MEGABITS_MIN}
        max={MEGABITS_MAX}
        step="any"
        inputMode="decimal"
        defaultValue={plan ? megabitsOf(plan.throttle_kbit_per_second) : MEGABITS_INITIAL}
        missing="Say how fast."
        wrong="A number, please."
      />
      <CountField
        name="connections_max"
        label="Devices connected at the same time"
        hint="Empty: unlimited."
        plan={plan}
      />
      <CountField
        name="devices_max"
        label="Devices"
        hint="Empty: as the settings of the service say."
        plan={plan}
      />
      <TextField
        name="server_tags"
        label="Tags of servers"
        hint="Servers without tags are for everybody; one with tags is for plans that have all of them here."
        placeholder="streaming, ipv6"
        defaultValue={plan?.server_tags.join(", ")}
        pattern={TAGS_PATTERN}
        wrong="Small letters, digits and hyphens, with commas between."
        autoComplete="off"
      />
    </FormDialog>
  );
}

interface CountFieldProps {
  readonly name: "connections_max" | "devices_max";
  readonly label: string;
  readonly hint: string;
  readonly plan: Plan | undefined;
}

function CountField({ plan, ...field }: CountFieldProps) {
  const initial = plan?.[field.name] ?? undefined;
  return <NumberField {...field} min={1} max={COUNT_MAX} defaultValue={initial} required={false} />;
}
