import { CircleCheck } from "lucide-react";
import { Wave } from "../../components/brand.tsx";
import { ButtonLink } from "../../components/button.tsx";
import { ConfigToTake } from "../../components/config-to-take.tsx";
import { PageTitle } from "../../components/page.tsx";
import type { KeyedDevice } from "../../own-keys.ts";
import { useConnections } from "../../use-connections.ts";
import { Steps } from "./steps.tsx";

/** A device that was just added, until it has connected. */
export function AddedDevicePanel({ added }: { added: KeyedDevice }) {
  const { device, file } = added;
  const { connected } = useConnections().byDevice.get(device.id) ?? device.connection;

  return (
    <>
      <PageTitle
        isNext
        title={`${device.name} is ready to connect`}
        lead={device.server ? `It uses ${device.server.name} in ${device.server.region}.` : undefined}
      />
      <ConfigToTake
        keyed={added}
        isInUse={connected}
        steps={<Steps type={device.type} fileName={file.name} />}
      >
        {({ mustStay }) => (
          <div className="mt-6 flex flex-wrap items-center justify-between gap-4">
            <p role="status" className="flex items-center gap-3 font-medium text-sm">
              {connected ? (
                <span className="flex items-center gap-2.5 text-good">
                  <CircleCheck className="size-5" aria-hidden="true" />
                  Connected. The tunnel works.
                </span>
              ) : (
                <span className="flex items-center gap-3 text-muted">
                  <Wave isRunning={false} className="animate-breathe" />
                  Waiting for the first connection…
                </span>
              )}
            </p>
            <ButtonLink to="/devices" tone={mustStay ? "secondary" : "primary"} className="max-sm:w-full">
              Done
            </ButtonLink>
          </div>
        )}
      </ConfigToTake>
    </>
  );
}
