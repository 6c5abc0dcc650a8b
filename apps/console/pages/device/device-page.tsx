import type { DeviceWithTunnel } from "@securewave/contracts";
import { deviceErrors } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Activity, Clock, Gauge, type LucideIcon } from "lucide-react";
import { type ReactNode, useState } from "react";
import { ConnectionState, connectionOf, LiveSign, SessionBytes } from "../../components/connection.tsx";
import { DeviceTypeIcon, deviceTypeLabel } from "../../components/device-type.tsx";
import { Card, ErrorState, PageTitle, Section, SkeletonRows } from "../../components/page.tsx";
import { ServerName } from "../../components/server-name.tsx";
import { Notice } from "../../components/state.tsx";
import { renewedConfig } from "../../config-of-file.ts";
import { formatAge, formatDay } from "../../format.ts";
import type { KeyedDevice } from "../../own-keys.ts";
import { isRefusal } from "../../problems.ts";
import { deviceQuery } from "../../queries.ts";
import { tunnelFileOf } from "../../tunnel-file.ts";
import { type LiveConnections, useConnections, useHandshakeAge } from "../../use-connections.ts";
import { NothingHere } from "../not-found/not-found-page.tsx";
import { ConfigSection, type FreshConfig } from "./config-section.tsx";
import { DetailsForm } from "./details-form.tsx";
import { EndSection } from "./end-section.tsx";
import { formerKeyUntil, formerServerUntil } from "./former-days.ts";
import { KeySection } from "./key-section.tsx";
import { ServerSection } from "./server-section.tsx";

const route = getRouteApi("/account/devices/$id");
const UP = { label: "Devices", link: { to: "/devices" } } as const;

export function DevicePage() {
  const { id } = route.useParams();
  const device = useQuery(deviceQuery(id));
  const live = useConnections();

  if (device.isPending) {
    return (
      <>
        <PageTitle title="Device" up={UP} />
        <SkeletonRows label="Loading the device" count={2} />
      </>
    );
  }
  if (isRefusal(device.error, deviceErrors.notFound)) return <NothingHere />;
  if (!device.data) return <ErrorState error={device.error} onRetry={device.refetch} />;
  return <DeviceView device={device.data} live={live} />;
}

function DeviceView({ device, live }: { device: DeviceWithTunnel; live: LiveConnections }) {
  const isActive = device.state === "active";
  const [fresh, setFresh] = useState<FreshConfig>();

  function noteMove(moved: DeviceWithTunnel): void {
    // A key that is only in this page moves along.
    const keyed = fresh?.keyed && {
      device: moved,
      file: tunnelFileOf(moved.name, renewedConfig(fresh.keyed.file.text, moved)),
    };
    const title = `${moved.name} is on ${moved.server?.name ?? "its server"}`;
    setFresh({ title, formerUntil: formerServerUntil(moved, device.server?.id), keyed });
  }

  function noteKey(keyed: KeyedDevice): void {
    const title = `${keyed.device.name} has a new key`;
    setFresh({ title, formerUntil: formerKeyUntil(keyed.device), keyed });
  }

  return (
    <>
      <PageTitle
        title={device.name}
        lead={`${deviceTypeLabel(device.type)}, added ${formatDay(device.created_on)}`}
        up={UP}
      />
      {isActive ? (
        <Now device={device} live={live} />
      ) : (
        <Notice tone="bad" title="This device was revoked">
          Its keys are worth nothing any more. To use it again, add it as a new device.
        </Notice>
      )}
      <div className="mt-9">
        {isActive && <ConfigSection device={device} fresh={fresh} />}
        {isActive && <ServerSection device={device} onMoved={noteMove} />}
        {isActive && <KeySection device={device} onChanged={noteKey} />}
        <Section title="Details" lead="Only for telling your devices apart.">
          <DetailsForm key={`${device.name} ${device.type}`} device={device} />
        </Section>
        <EndSection device={device} />
      </div>
    </>
  );
}

function Now({ device, live }: { device: DeviceWithTunnel; live: LiveConnections }) {
  const connection = connectionOf(device, live);
  const age = useHandshakeAge(connection);
  return (
    <Card className="overflow-hidden">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3 p-5 sm:px-6">
        <DeviceTypeIcon type={device.type} isOn={connection.connected} />
        <div className="grow" role="status">
          <ConnectionState device={device} connection={connection} />
          <p className="text-muted text-sm">
            <ServerName server={device.server} />
          </p>
        </div>
        <LiveSign live={live} />
      </div>
      <dl className="grid border-line border-t sm:grid-cols-3">
        <Figure icon={Activity} label="This session">
          {connection.connected ? <SessionBytes connection={connection} /> : "None"}
        </Figure>
        <Figure icon={Clock} label="Last handshake">
          {age === undefined ? "None" : formatAge(age)}
        </Figure>
        <Figure icon={Gauge} label="Tunnel addresses">
          {device.tunnel?.addresses.map((address) => (
            <span key={address} className="block break-all font-mono text-xs leading-5">
              {address.replace(/\/(32|128)$/, "")}
            </span>
          )) ?? "None"}
        </Figure>
      </dl>
      <p className="border-line border-t bg-sunken px-5 py-2.5 text-muted text-xs sm:px-6">
        Known in memory while you are connected, and never written down.
      </p>
    </Card>
  );
}

function Figure({ icon: Icon, label, children }: { icon: LucideIcon; label: string; children: ReactNode }) {
  return (
    <div className="border-line px-5 py-4 max-sm:border-t max-sm:first:border-t-0 sm:border-l sm:px-6 sm:first:border-l-0">
      <dt className="flex items-center gap-2 text-muted text-xs">
        <Icon className="size-3.5" aria-hidden="true" />
        {label}
      </dt>
      <dd className="figures mt-1 text-sm">{children}</dd>
    </div>
  );
}
