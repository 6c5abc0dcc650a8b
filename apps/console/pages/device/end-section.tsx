import type { DeviceWithTunnel } from "@securewave/contracts";
import { useRouter } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Section } from "../../components/page.tsx";
import { notify } from "../../components/toast.tsx";
import { deviceQuery, queryClient } from "../../queries.ts";

/** Taking a device's access away, for the device that was lost and the one that is done with. */
export function EndSection({ device }: { device: DeviceWithTunnel }) {
  const router = useRouter();
  const [asked, setAsked] = useState<"revoke" | "remove">();
  const params = { id: device.id };

  async function revoke(): Promise<void> {
    await client.devices.revoke({ params });
    await queryClient.invalidateQueries({ queryKey: ["devices"] });
    notify(`${device.name} is revoked.`);
  }

  async function remove(): Promise<void> {
    await client.devices.remove({ params });
    await router.navigate({ to: "/devices" });
    queryClient.removeQueries(deviceQuery(device.id));
    await queryClient.invalidateQueries({ queryKey: ["devices"] });
    notify(`${device.name} is removed.`);
  }

  return (
    <Section title="End" lead="Both take effect within a second.">
      <div className="grid gap-4">
        {device.state === "active" && (
          <Act
            text="Lost or stolen? Revoking ends its tunnel and keeps it in your list."
            button={
              <Button tone="dangerQuiet" onClick={() => setAsked("revoke")}>
                Revoke…
              </Button>
            }
          />
        )}
        <Act
          text="Removing ends its tunnel and forgets the device."
          button={
            <Button tone="dangerQuiet" onClick={() => setAsked("remove")}>
              Remove…
            </Button>
          }
        />
      </div>
      <ConfirmDialog
        isOpen={asked === "revoke"}
        title={`Revoke ${device.name}?`}
        confirmLabel="Revoke"
        onClose={() => setAsked(undefined)}
        onConfirm={revoke}
      >
        <p>Its tunnel ends within a second and its keys will not be taken again.</p>
      </ConfirmDialog>
      <ConfirmDialog
        isOpen={asked === "remove"}
        title={`Remove ${device.name}?`}
        confirmLabel="Remove"
        onClose={() => setAsked(undefined)}
        onConfirm={remove}
      >
        <p>Its tunnel ends within a second, and nothing of the device is kept.</p>
      </ConfirmDialog>
    </Section>
  );
}

function Act({ text, button }: { text: string; button: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
      <p className="min-w-0 basis-72 grow text-muted">{text}</p>
      {button}
    </div>
  );
}
