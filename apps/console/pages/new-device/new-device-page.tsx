import type { Device } from "@securewave/contracts";
import { deviceErrors } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { client } from "../../api.ts";
import { PageTitle } from "../../components/page.tsx";
import { isRefusal } from "../../problems.ts";
import { deviceQuery, queryClient } from "../../queries.ts";
import { type AddedDevice, createDeviceAdder, type NewDevice } from "./add-device.ts";
import { AddedDevicePanel } from "./added-device.tsx";
import { NewDeviceForm } from "./new-device-form.tsx";

const route = getRouteApi("/account/devices/new");
const UP = { label: "Devices", link: { to: "/devices" } } as const;

export function NewDevicePage() {
  const { replaces, server } = route.useSearch();
  const replaced = useQuery({ ...deviceQuery(replaces ?? ""), enabled: replaces !== undefined });
  const addDevice = useMemo(() => createDeviceAdder(client), []);
  const [added, setAdded] = useState<AddedDevice>();

  if (added) return <AddedDevicePanel added={added} />;
  if (replaces !== undefined && replaced.isPending) return <PageTitle title="New keys" up={UP} />;

  async function add(input: NewDevice): Promise<void> {
    if (replaces !== undefined) await removeOld(replaces);
    const result = await addDevice(input);
    void queryClient.invalidateQueries({ queryKey: ["devices"] });
    setAdded(result);
  }

  return (
    <>
      {replaces === undefined ? (
        <PageTitle
          title="Add a device"
          lead="Name it, and get a code to scan or a file to import into the WireGuard app."
          up={UP}
        />
      ) : (
        <PageTitle
          title={`New keys for ${nameOf(replaced.data)}`}
          lead="The config it has stops working, and it gets a new one."
          up={UP}
        />
      )}
      <NewDeviceForm
        onSubmit={add}
        initial={replaced.data}
        serverId={server}
        isReplacing={replaces !== undefined}
      />
    </>
  );
}

function nameOf(device: Device | undefined): string {
  return device?.name ?? "your device";
}

/** The old one goes first: an account at its limit has no room for both. */
async function removeOld(id: string): Promise<void> {
  try {
    await client.devices.remove({ params: { id } });
  } catch (error) {
    if (!isRefusal(error, deviceErrors.notFound)) throw error;
  }
}
