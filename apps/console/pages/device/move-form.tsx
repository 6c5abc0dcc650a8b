import type { DeviceWithTunnel } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { SelectField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { Notice } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { queryClient, serversQuery } from "../../queries.ts";

export function MoveForm({ device }: { device: DeviceWithTunnel }) {
  const servers = useQuery(serversQuery);
  const others = (servers.data ?? []).filter((server) => server.available && server.id !== device.server?.id);
  const [target, setTarget] = useState<string>();
  const [hasMoved, setMoved] = useState(false);

  async function choose(values: FormValues): Promise<void> {
    setTarget(values.text("server_id"));
  }

  async function move(): Promise<void> {
    if (target === undefined) return;
    const moved = await client.devices.move({ params: { id: device.id }, body: { server_id: target } });
    await queryClient.invalidateQueries({ queryKey: ["devices"] });
    setMoved(true);
    notify(`${moved.name} is on ${moved.server?.name ?? "its new server"}.`);
  }

  return (
    <div className="grid max-w-md gap-4">
      <p>
        {device.server ? (
          <>
            On <strong className="font-semibold">{device.server.name}</strong>, {device.server.region}.
          </>
        ) : (
          "On no server: choose one."
        )}
      </p>
      {hasMoved && (
        <Notice tone="warn" title="The device needs its new config">
          {device.key_origin === "server"
            ? "Show the code above and scan it once more."
            : "Make new keys above, or change server key, endpoint and addresses in the app by hand."}
        </Notice>
      )}
      {others.length === 0 ? (
        <p className="text-muted text-sm">No other server takes devices at the moment.</p>
      ) : (
        <Form onSubmit={choose} className="flex flex-wrap items-end gap-3 *:first:grow">
          {({ isPending }) => (
            <>
              <SelectField name="server_id" label="Move to">
                {others.map((server) => (
                  <option key={server.id} value={server.id}>
                    {server.name}, {server.region} ({server.load} load)
                  </option>
                ))}
              </SelectField>
              <Button type="submit" isPending={isPending}>
                Move…
              </Button>
            </>
          )}
        </Form>
      )}
      <ConfirmDialog
        isOpen={target !== undefined}
        title={`Move ${device.name}?`}
        confirmLabel="Move"
        tone="primary"
        onClose={() => setTarget(undefined)}
        onConfirm={move}
      >
        <p>The config it has stops working at once. You give it the new one afterwards.</p>
      </ConfirmDialog>
    </div>
  );
}
