import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { client } from "../../api.ts";
import { PageTitle } from "../../components/page.tsx";
import type { KeyedDevice } from "../../own-keys.ts";
import { queryClient } from "../../queries.ts";
import { whereabouts } from "../../whereabouts.ts";
import { createDeviceAdder, type NewDevice } from "./add-device.ts";
import { AddedDevicePanel } from "./added-device.tsx";
import { NewDeviceForm } from "./new-device-form.tsx";

const route = getRouteApi("/account/devices/new");

export function NewDevicePage() {
  const { server, region } = route.useSearch();
  const addDevice = useMemo(() => createDeviceAdder(client, () => whereabouts().country), []);
  const [added, setAdded] = useState<KeyedDevice>();

  if (added) return <AddedDevicePanel added={added} />;

  async function add(input: NewDevice): Promise<void> {
    const result = await addDevice(input);
    void queryClient.invalidateQueries({ queryKey: ["devices"] });
    setAdded(result);
  }

  return (
    <>
      <PageTitle
        title="Add a device"
        lead="Name it, and get a code to scan or a file to import into the WireGuard app."
        up={{ label: "Devices", link: { to: "/devices" } }}
      />
      <NewDeviceForm
        onSubmit={add}
        initialPlace={{
          ...(server !== undefined && { server_id: server }),
          ...(server === undefined && region !== undefined && { region }),
        }}
      />
    </>
  );
}
