import { useBlocker } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { KeyedDevice } from "../own-keys.ts";
import { ConfigPanel } from "./config-panel.tsx";
import { ConfirmDialog } from "./dialog.tsx";
import { Notice } from "./state.tsx";

interface ConfigToTakeProps {
  readonly keyed: KeyedDevice;
  /** Whether the device is known to have the config, however it came by it. */
  readonly isInUse?: boolean;
  /** What to do with the config. */
  readonly steps?: ReactNode;
  /** What follows it. */
  readonly children?: (state: { readonly mustStay: boolean }) => ReactNode;
}

/** The config of a device that was just given keys; for keys made in the page, the one chance to take it along. */
export function ConfigToTake({ keyed, isInUse = false, steps, children }: ConfigToTakeProps) {
  const { device, file } = keyed;
  const [isSaved, setSaved] = useState(false);
  const isOnlyHere = device.key_origin === "customer";
  const mustStay = isOnlyHere && !isSaved && !isInUse;
  const blocker = useBlocker({
    shouldBlockFn: () => mustStay,
    enableBeforeUnload: () => mustStay,
    withResolver: true,
  });

  return (
    <>
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
        {steps}
      </ConfigPanel>
      {children?.({ mustStay })}
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
