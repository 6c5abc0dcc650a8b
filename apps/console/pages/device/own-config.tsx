import type { DeviceWithTunnel, Tunnel } from "@securewave/contracts";
import { formatEndpoint } from "@securewave/wireguard";
import { useId, useState } from "react";
import { ConfigPanel } from "../../components/config-panel.tsx";
import { CopyButton } from "../../components/copy.tsx";
import { CONFIG_FILE_BYTES_MAX, renewedConfig } from "../../config-of-file.ts";
import { explain, PageError } from "../../problems.ts";
import { type TunnelFile, tunnelFileOf } from "../../tunnel-file.ts";

/** The config of a device whose private key only its owner has: written anew from a former one, in this page. */
export function OwnConfig({ device }: { device: DeviceWithTunnel }) {
  const [file, setFile] = useState<TunnelFile>();
  const [problem, setProblem] = useState<string>();
  const id = useId();

  async function read(former: File): Promise<void> {
    try {
      if (former.size > CONFIG_FILE_BYTES_MAX) throw new PageError("This is not a WireGuard config.");
      setFile(tunnelFileOf(device.name, renewedConfig(await former.text(), device)));
      setProblem(undefined);
    } catch (error) {
      setFile(undefined);
      setProblem(explain(error));
    }
  }

  return (
    <div className="grid gap-5">
      <p className="text-muted">
        The private key never left the page that made it, so only you have this device’s config. If that is
        lost, change the key below.
      </p>
      <div className="grid gap-1.5">
        <label htmlFor={id} className="justify-self-start font-medium text-sm">
          Write the config anew from the one you have
        </label>
        <input
          id={id}
          type="file"
          accept=".conf,text/plain"
          aria-describedby={`${id}-hint ${id}-problem`}
          aria-invalid={problem === undefined ? undefined : true}
          className="control text-sm file:mr-3 file:rounded-sm file:border-0 file:bg-accent-soft file:px-3 file:py-1 file:font-medium file:text-accent"
          onChange={({ target }) => {
            const chosen = target.files?.[0];
            if (chosen) void read(chosen);
          }}
        />
        <p id={`${id}-problem`} role="alert" className="text-bad text-sm">
          {problem}
        </p>
        <p id={`${id}-hint`} className="text-muted text-sm">
          This page takes the private key from the file and sends nothing of it.
        </p>
      </div>
      {file && <ConfigPanel file={file} deviceName={device.name} />}
      {device.tunnel && <ByHand tunnel={device.tunnel} />}
    </div>
  );
}

/** What of a config a move changes. */
function ByHand({ tunnel }: { tunnel: Tunnel }) {
  const lines = [
    ["PublicKey", tunnel.server_public_key],
    ["Endpoint", formatEndpoint(tunnel.endpoint)],
  ] as const;
  return (
    <details className="text-sm">
      <summary className="w-fit rounded-sm py-1 font-medium text-accent">Or change it by hand</summary>
      <p className="mt-2 text-muted">After a move, two lines of its part [Peer] are other ones:</p>
      <dl className="mt-3 grid gap-3">
        {lines.map(([name, value]) => (
          <div key={name} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
            <div className="min-w-0 font-mono text-xs">
              <dt className="inline text-muted">{name} = </dt>
              <dd className="inline break-all">{value}</dd>
            </div>
            <CopyButton text={value} label={`Copy ${name}`} />
          </div>
        ))}
      </dl>
    </details>
  );
}
