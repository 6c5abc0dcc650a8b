import type { DeviceWithTunnel } from "@securewave/contracts";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { DEVICE_TYPES, isDeviceType } from "../../components/device-type.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { notify } from "../../components/toast.tsx";
import { queryClient } from "../../queries.ts";

export function DetailsForm({ device }: { device: DeviceWithTunnel }) {
  async function save(values: FormValues): Promise<void> {
    const type = values.text("type");
    await client.devices.change({
      params: { id: device.id },
      body: { name: values.text("name"), ...(isDeviceType(type) && { type }) },
    });
    await queryClient.invalidateQueries({ queryKey: ["devices"] });
    notify("Saved.");
  }

  return (
    <Form onSubmit={save} className="grid max-w-md gap-5">
      {({ isPending }) => (
        <>
          <TextField
            name="name"
            label="Name"
            defaultValue={device.name}
            maxLength={60}
            autoComplete="off"
            missing="Give the device a name."
            required
          />
          <SelectField name="type" label="Type" defaultValue={device.type}>
            {DEVICE_TYPES.map(({ type, label }) => (
              <option key={type} value={type}>
                {label}
              </option>
            ))}
          </SelectField>
          <div>
            <Button type="submit" isPending={isPending}>
              Save details
            </Button>
          </div>
        </>
      )}
    </Form>
  );
}
