import type { DeviceWithTunnel } from "@securewave/contracts";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { SelectField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { notify } from "../../components/toast.tsx";
import { queryClient } from "../../queries.ts";
import { AS_THE_SERVICE_SAYS, rotationChoices } from "./rotation-words.ts";

/** How often a device's key is changed, or its owner reminded to change it. */
export function RotationForm({ device }: { device: DeviceWithTunnel }) {
  const isOwn = device.key_origin === "customer";

  async function save(values: FormValues): Promise<void> {
    const days = values.text("rotation_days");
    await client.devices.change({
      params: { id: device.id },
      body: { rotation_days: days === AS_THE_SERVICE_SAYS ? null : Number(days) },
    });
    await queryClient.invalidateQueries({ queryKey: ["devices"] });
    notify("Saved.");
  }

  return (
    <Form onSubmit={save} className="grid max-w-md gap-4">
      {({ isPending }) => (
        <>
          <SelectField
            name="rotation_days"
            label={isOwn ? "How often to remind you" : "How often it is changed"}
            defaultValue={device.rotation_days ?? AS_THE_SERVICE_SAYS}
            hint={
              isOwn
                ? "By mail. Only you can change this key; until then the present one works as before."
                : "In the night. You get a mail then, and the former config works for some days more."
            }
          >
            {rotationChoices(device.rotation_days).map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </SelectField>
          <div>
            <Button type="submit" isPending={isPending}>
              Save how often
            </Button>
          </div>
        </>
      )}
    </Form>
  );
}
