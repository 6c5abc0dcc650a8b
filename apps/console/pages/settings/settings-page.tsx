import type { Client } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { ErrorState, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { notify } from "../../components/toast.tsx";
import { queryClient, serviceQuery, settingsQuery } from "../../queries.ts";

type Settings = Awaited<ReturnType<Client["service"]["readSettings"]>>;

export function SettingsPage() {
  const settings = useQuery(settingsQuery);
  return (
    <>
      <PageTitle
        title="Settings"
        lead="What can change while the service runs. The rest is set where it is started."
      />
      {settings.isPending && <SkeletonRows label="Loading settings" count={3} />}
      {settings.isError && !settings.data && <ErrorState error={settings.error} onRetry={settings.refetch} />}
      {settings.data && <SettingsForm settings={settings.data} />}
    </>
  );
}

function SettingsForm({ settings }: { settings: Settings }) {
  async function save(values: FormValues): Promise<void> {
    const changed = await client.service.changeSettings({
      body: {
        service_name: values.text("service_name"),
        registration: values.text("registration") === "open" ? "open" : "closed",
        devices_per_account_max: Number(values.text("devices_per_account_max")),
      },
    });
    queryClient.setQueryData(settingsQuery.queryKey, changed);
    await queryClient.invalidateQueries(serviceQuery);
    notify("Saved.");
  }

  return (
    <Form onSubmit={save} className="grid max-w-lg gap-6">
      {({ isPending }) => (
        <>
          <TextField
            name="service_name"
            label="Service name"
            defaultValue={settings.service_name}
            hint="Stands in this console and in mails."
            maxLength={40}
            missing="The service needs a name."
            required
          />
          <SelectField
            name="registration"
            label="Registration"
            defaultValue={settings.registration}
            hint="Closed: only admins make accounts."
          >
            <option value="open">Open to everybody</option>
            <option value="closed">Closed</option>
          </SelectField>
          <TextField
            name="devices_per_account_max"
            label="Devices per account"
            type="number"
            min={1}
            max={1000}
            step={1}
            defaultValue={settings.devices_per_account_max}
            hint="Lowering it takes no device away."
            missing="Say how many."
            wrong="A whole number, please."
            required
          />
          <div>
            <Button type="submit" tone="primary" isPending={isPending}>
              Save settings
            </Button>
          </div>
        </>
      )}
    </Form>
  );
}
