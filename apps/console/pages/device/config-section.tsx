import type { DeviceWithTunnel } from "@securewave/contracts";
import { KeyRound, QrCode } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { ConfigPanel } from "../../components/config-panel.tsx";
import { Section } from "../../components/page.tsx";
import { notifyError } from "../../components/toast.tsx";
import { type TunnelFile, tunnelFileOf } from "../../tunnel-file.ts";

export function ConfigSection({ device }: { device: DeviceWithTunnel }) {
  return (
    <Section title="Config" lead="What the WireGuard app needs.">
      {device.key_origin === "server" ? (
        <HeldByServer key={device.server?.id} device={device} />
      ) : (
        <HeldByDevice device={device} />
      )}
    </Section>
  );
}

function HeldByServer({ device }: { device: DeviceWithTunnel }) {
  const [file, setFile] = useState<TunnelFile>();
  const [isPending, setPending] = useState(false);

  async function show(): Promise<void> {
    setPending(true);
    try {
      setFile(tunnelFileOf(device.name, await client.devices.config({ params: { id: device.id } })));
    } catch (error) {
      notifyError(error);
    } finally {
      setPending(false);
    }
  }

  if (file) return <ConfigPanel file={file} deviceName={device.name} />;
  return (
    <div className="grid justify-items-start gap-4">
      <p className="text-muted">
        The service keeps this device’s private key, encrypted, and can show the config again.
      </p>
      <Button icon={QrCode} isPending={isPending} onClick={show}>
        Show code and file
      </Button>
    </div>
  );
}

function HeldByDevice({ device }: { device: DeviceWithTunnel }) {
  return (
    <div className="grid justify-items-start gap-4">
      <p className="text-muted">
        The private key never left the page that made it, so only the device itself has its config. If that is
        lost, give the device new keys.
      </p>
      <ButtonLink to="/devices/new" search={{ replaces: device.id }} icon={KeyRound}>
        Make new keys
      </ButtonLink>
    </div>
  );
}
