import { useState } from "react";
import { Button } from "../../components/button.tsx";
import { DeviceTypeChoice, isDeviceType } from "../../components/device-type.tsx";
import { TextField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { KeyChoice, keyWishOf } from "../../components/key-choice.tsx";
import { ServerPicker } from "../../components/server-picker.tsx";
import type { Place } from "../../servers.ts";
import type { NewDevice } from "./add-device.ts";

interface NewDeviceFormProps {
  readonly onSubmit: (input: NewDevice) => Promise<void>;
  readonly initialPlace: Place;
}

export function NewDeviceForm({ onSubmit, initialPlace }: NewDeviceFormProps) {
  const [place, setPlace] = useState(initialPlace);

  async function submit(values: FormValues): Promise<void> {
    const type = values.text("type");
    await onSubmit({
      name: values.text("name"),
      type: isDeviceType(type) ? type : "other",
      place,
      keys: keyWishOf(values),
    });
  }

  return (
    <Form onSubmit={submit} className="grid max-w-2xl gap-7">
      {({ isPending }) => (
        <>
          <TextField
            name="name"
            label="Name"
            placeholder="Anna’s phone"
            maxLength={60}
            autoComplete="off"
            missing="Give the device a name."
            wrong="Letters, digits and signs, please; no line breaks or the like."
            required
          />
          <DeviceTypeChoice initial="phone" />
          <ServerPicker legend="Server" value={place} onChange={setPlace} />
          <KeyChoice initial="customer" />
          <div>
            <Button type="submit" tone="primary" isPending={isPending} className="max-sm:w-full">
              Add device
            </Button>
          </div>
        </>
      )}
    </Form>
  );
}
