import { useBlocker } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { useState } from "react";
import { Wave } from "../../components/brand.tsx";
import { ButtonLink } from "../../components/button.tsx";
import { ConfigPanel } from "../../components/config-panel.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { PageTitle } from "../../components/page.tsx";
import { Notice } from "../../components/state.tsx";
import { useConnections } from "../../use-connections.ts";
import type { AddedDevice } from "./add-device.ts";
import { Steps } from "./steps.tsx";

/** The config of a device that was just added; for keys made in the page, the one chance to take it along. */
export function AddedDevicePanel({ added }: { added: AddedDevice }) {
  const { device, file } = added;
  const [isSaved, setSaved] = useState(false);
  const connection = useConnections().byDevice.get(device.id) ?? device.connection;
  const isOnlyHere = device.key_origin === "customer";
  // A device that has connected holds its config, however it came by it.
  const mustStay = isOnlyHere && !isSaved && !connection.connected;
  const blocker = useBlocker({
    shouldBlockFn: () => mustStay,
    enableBeforeUnload: () => mustStay,
    withResolver: true,
  });

  return (
    <>
      <PageTitle
        isNext
        title={`${device.name} is ready to connect`}
        lead={device.server ? `It uses ${device.server.name} in ${device.server.region}.` : undefined}
      />
      {isOnlyHere && (
        <div className="mb-5">
          {mustStay ? (
            <Notice tone="warn" title="Take the config along before you leave">
              The private key is in this page and nowhere else. When the page is closed it is gone, and the
              device needs new keys.
            </Notice>
          ) : (
            <Notice tone="good" title="You have the config">
              Keep the file to yourself: whoever has it can use this device’s tunnel.
            </Notice>
          )}
        </div>
      )}
      <ConfigPanel file={file} deviceName={device.name} onSaved={() => setSaved(true)}>
        <Steps type={device.type} fileName={file.name} />
      </ConfigPanel>
      <div className="mt-6 flex flex-wrap items-center justify-between gap-4">
        <p role="status" className="flex items-center gap-3 font-medium text-sm">
          {connection.connected ? (
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
      <ConfirmDialog
        isOpen={blocker.status === "blocked"}
        title="Do you have the config?"
        confirmLabel="Yes, leave"
        cancelLabel="Stay here"
        tone="primary"
        onClose={() => blocker.reset?.()}
        onConfirm={async () => blocker.proceed?.()}
      >
        <p>
          Neither was the file downloaded nor has {device.name} connected yet. If you have scanned the code,
          all is well; if not, stay: its private key ends with this page.
        </p>
      </ConfirmDialog>
    </>
  );
}
