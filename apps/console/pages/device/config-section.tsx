import type { DeviceWithTunnel } from "@securewave/contracts";
import { useEffect, useRef } from "react";
import { ConfigToTake } from "../../components/config-to-take.tsx";
import { Section } from "../../components/page.tsx";
import { Notice } from "../../components/state.tsx";
import { formatDay } from "../../format.ts";
import type { KeyedDevice } from "../../own-keys.ts";
import { HeldConfig } from "./held-config.tsx";
import { OwnConfig } from "./own-config.tsx";

/** A config that was just made by a move or by a new key. */
export interface FreshConfig {
  /** What happened. */
  readonly title: string;
  /** The last day (UTC) of the one before it. */
  readonly formerUntil: string | undefined;
  /** Where this page made or was given the key. */
  readonly keyed?: KeyedDevice | undefined;
}

interface ConfigSectionProps {
  readonly device: DeviceWithTunnel;
  readonly fresh: FreshConfig | undefined;
}

export function ConfigSection({ device, fresh }: ConfigSectionProps) {
  return (
    <Section title="Config" lead="What the WireGuard app needs.">
      {fresh && <FreshNotice fresh={fresh} />}
      {fresh?.keyed ? (
        <ConfigToTake key={fresh.keyed.device.public_key} keyed={fresh.keyed} />
      ) : (
        <PresentConfig
          key={`${device.server?.id} ${device.key_version}`}
          device={device}
          isShownAtOnce={fresh !== undefined}
        />
      )}
    </Section>
  );
}

/** Leads the reader to the config that is to be put into the device. */
function FreshNotice({ fresh }: { fresh: FreshConfig }) {
  const notice = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each fresh config is told of
  useEffect(() => {
    notice.current?.focus({ preventScroll: true });
    notice.current?.scrollIntoView({ block: "center" });
  }, [fresh]);
  return (
    <div ref={notice} tabIndex={-1} className="mb-5 rounded-lg outline-none">
      <Notice tone="good" title={fresh.title}>
        Put the new config into the device.
        {fresh.formerUntil !== undefined &&
          ` The former one works until the end of ${formatDay(fresh.formerUntil)} (UTC).`}
      </Notice>
    </div>
  );
}

interface PresentConfigProps {
  readonly device: DeviceWithTunnel;
  readonly isShownAtOnce: boolean;
}

function PresentConfig({ device, isShownAtOnce }: PresentConfigProps) {
  if (device.key_origin === "server") return <HeldConfig device={device} isShownAtOnce={isShownAtOnce} />;
  return <OwnConfig device={device} />;
}
