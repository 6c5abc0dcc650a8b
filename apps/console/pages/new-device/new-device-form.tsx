import type { Device, Server } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { KeyRound, Sparkles } from "lucide-react";
import { Button } from "../../components/button.tsx";
import { DeviceTypeChoice, isDeviceType } from "../../components/device-type.tsx";
import { GroupError, TextField } from "../../components/fields.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { LoadMeter } from "../../components/load.tsx";
import { serversQuery } from "../../queries.ts";
import type { NewDevice } from "./add-device.ts";

/** Stands for leaving the choice to the service. */
const BEST = "best";

interface NewDeviceFormProps {
  readonly onSubmit: (input: NewDevice) => Promise<void>;
  /** A device whose details the new one takes over. */
  readonly initial: Device | undefined;
  readonly serverId: string | undefined;
  readonly isReplacing: boolean;
}

export function NewDeviceForm({ onSubmit, initial, serverId, isReplacing }: NewDeviceFormProps) {
  async function submit(values: FormValues): Promise<void> {
    const server = values.text("server_id");
    const type = values.text("type");
    await onSubmit({
      name: values.text("name"),
      type: isDeviceType(type) ? type : "other",
      serverId: server === BEST || server === "" ? undefined : server,
      keysMadeBy: values.text("keys") === "server" ? "server" : "page",
    });
  }

  return (
    <Form onSubmit={submit} className="grid max-w-2xl gap-7">
      {({ isPending }) => (
        <>
          <TextField
            name="name"
            label="Name"
            defaultValue={initial?.name}
            placeholder="Anna’s phone"
            maxLength={60}
            autoComplete="off"
            missing="Give the device a name."
            wrong="Letters, digits and signs, please; no line breaks or the like."
            required
          />
          <DeviceTypeChoice initial={initial?.type ?? "phone"} />
          <ServerChoice initial={serverId ?? initial?.server?.id ?? BEST} />
          <KeyChoice initial={initial?.key_origin ?? "customer"} />
          <div>
            <Button type="submit" tone="primary" isPending={isPending} className="max-sm:w-full">
              {isReplacing ? "Replace keys" : "Add device"}
            </Button>
          </div>
        </>
      )}
    </Form>
  );
}

const CHOICE =
  "flex min-h-13 items-center gap-3 border-line border-t px-4 py-2.5 transition-colors first:border-t-0 hover:bg-hover has-checked:bg-accent-soft has-disabled:opacity-60 has-focus-visible:-outline-offset-2 has-focus-visible:outline-2 has-focus-visible:outline-accent";

function ServerChoice({ initial }: { initial: string }) {
  const servers = useQuery(serversQuery);
  const list = servers.data ?? [];
  const isOffered = list.some((server) => server.id === initial && server.available);
  return (
    <fieldset>
      <legend className="mb-1.5 font-medium text-sm">Server</legend>
      {/* Rendered anew when the servers arrive, so that the initial choice can be among them. */}
      <div key={list.length} className="max-h-78 overflow-y-auto rounded-md border border-outline bg-surface">
        <label className={CHOICE}>
          <input
            type="radio"
            name="server_id"
            value={BEST}
            defaultChecked={!isOffered}
            className="size-4 shrink-0"
          />
          <span className="grow">
            <span className="block font-medium">Best available</span>
            <span className="block text-muted text-sm">Healthy, near, and with room to spare</span>
          </span>
          <Sparkles className="size-4.5 text-accent" aria-hidden="true" />
        </label>
        {list.map((server) => (
          <ServerOption key={server.id} server={server} isInitial={isOffered && server.id === initial} />
        ))}
      </div>
      <GroupError name="server_id" />
    </fieldset>
  );
}

function ServerOption({ server, isInitial }: { server: Server; isInitial: boolean }) {
  return (
    <label className={CHOICE}>
      <input
        type="radio"
        name="server_id"
        value={server.id}
        defaultChecked={isInitial}
        disabled={!server.available}
        className="size-4 shrink-0"
      />
      <span className="min-w-0 grow">
        <span className="block truncate font-medium">{server.name}</span>
        <span className="block truncate text-muted text-sm">{server.region}</span>
      </span>
      {server.available ? (
        <LoadMeter load={server.load} />
      ) : (
        <span className="text-muted text-sm">Not available</span>
      )}
    </label>
  );
}

function KeyChoice({ initial }: { initial: Device["key_origin"] }) {
  return (
    <div className="rounded-lg bg-accent-soft p-4">
      <p className="flex gap-3 text-sm">
        <KeyRound className="mt-0.5 size-4.5 shrink-0 text-accent" aria-hidden="true" />
        <span>
          <strong className="font-semibold">This page makes the keys.</strong> The service is told the public
          one only, so nobody but you can read or impersonate this tunnel.
        </span>
      </p>
      <details className="mt-2 ml-7.5 text-sm" open={initial === "server"}>
        <summary className="rounded-sm py-1 font-medium text-accent">Other ways</summary>
        <fieldset className="mt-2 grid gap-3">
          <legend className="sr-only">Who makes the keys</legend>
          <label className="flex gap-3">
            <input
              type="radio"
              name="keys"
              value="page"
              defaultChecked={initial === "customer"}
              className="mt-0.5 size-4 shrink-0"
            />
            <span>
              <span className="block font-medium">This page makes the keys</span>
              <span className="text-muted">You save the config once; it cannot be shown again.</span>
            </span>
          </label>
          <label className="flex gap-3">
            <input
              type="radio"
              name="keys"
              value="server"
              defaultChecked={initial === "server"}
              className="mt-0.5 size-4 shrink-0"
            />
            <span>
              <span className="block font-medium">Let the server make the keys</span>
              <span className="text-muted">
                The service keeps the private key, encrypted. You can get the config again at any time, and
                you trust the operator with it.
              </span>
            </span>
          </label>
        </fieldset>
      </details>
    </div>
  );
}
