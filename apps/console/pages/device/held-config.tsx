import type { DeviceWithTunnel } from "@securewave/contracts";
import { QrCode } from "lucide-react";
import { useEffect, useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfigPanel } from "../../components/config-panel.tsx";
import { notifyError } from "../../components/toast.tsx";
import { type TunnelFile, tunnelFileOf } from "../../tunnel-file.ts";

interface HeldConfigProps {
  readonly device: DeviceWithTunnel;
  readonly isShownAtOnce: boolean;
}

/** The config of a device whose private key the service keeps. */
export function HeldConfig({ device: { id, name }, isShownAtOnce }: HeldConfigProps) {
  const [file, setFile] = useState<TunnelFile>();
  const [isWanted, setWanted] = useState(isShownAtOnce);

  useEffect(() => {
    if (!isWanted) return;
    const ending = new AbortController();
    client.devices
      .config({ params: { id }, signal: ending.signal })
      .then((text) => setFile(tunnelFileOf(name, text)))
      .catch((error: unknown) => {
        if (ending.signal.aborted) return;
        setWanted(false);
        notifyError(error);
      });
    return () => ending.abort();
  }, [isWanted, id, name]);

  if (file) return <ConfigPanel file={file} deviceName={name} />;
  return (
    <div className="grid justify-items-start gap-4">
      <p className="text-muted">
        The service keeps this device’s private key, encrypted, and can show the config again.
      </p>
      <Button icon={QrCode} isPending={isWanted} onClick={() => setWanted(true)}>
        Show code and file
      </Button>
    </div>
  );
}
