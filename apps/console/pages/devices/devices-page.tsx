import type { Device } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ChevronRight, MonitorSmartphone, Plus, SearchX } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { ButtonLink } from "../../components/button.tsx";
import {
  ConnectionState,
  connectionOf,
  connectionWord,
  HandshakeAge,
  LiveSign,
  SessionBytes,
} from "../../components/connection.tsx";
import { DeviceTypeIcon } from "../../components/device-type.tsx";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { SearchField } from "../../components/search.tsx";
import { ServerName } from "../../components/server-name.tsx";
import { plural } from "../../format.ts";
import { devicesQuery } from "../../queries.ts";
import { type LiveConnections, useConnections } from "../../use-connections.ts";

const route = getRouteApi("/account/devices");
/** Below this number nobody needs to search. */
const SEARCH_FROM_DEVICES = 6;

export function DevicesPage() {
  const { search = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useInfiniteQuery(devicesQuery(search));
  const live = useConnections();
  const devices = list.data?.pages.flatMap((page) => page.items) ?? [];
  const onSearch = useCallback(
    (text: string) => void navigate({ search: text === "" ? {} : { search: text }, replace: true }),
    [navigate],
  );
  const isSearchShown = search !== "" || list.hasNextPage || devices.length >= SEARCH_FROM_DEVICES;
  const isEmpty = list.isSuccess && devices.length === 0;

  return (
    <>
      <PageTitle
        title="Devices"
        lead={devices.length > 0 ? <ConnectedCount devices={devices} live={live} /> : undefined}
        actions={
          isEmpty && search === "" ? undefined : (
            <ButtonLink to="/devices/new" tone="primary" icon={Plus}>
              Add device
            </ButtonLink>
          )
        }
      />
      {isSearchShown && (
        <div className="mb-4">
          <SearchField label="Search devices" value={search} onSearch={onSearch} />
        </div>
      )}
      {list.isPending && <SkeletonRows label="Loading devices" />}
      {list.isError && devices.length === 0 && <ErrorState error={list.error} onRetry={list.refetch} />}
      {isEmpty && (search === "" ? <FirstDevice /> : <NothingFound search={search} />)}
      {devices.length > 0 && (
        <ul className="overflow-hidden rounded-lg border border-line bg-surface shadow-card">
          {devices.map((device) => (
            <DeviceRow key={device.id} device={device} live={live} />
          ))}
        </ul>
      )}
      <MoreButton list={list} />
      <ConnectionAnnouncer devices={devices} live={live} />
    </>
  );
}

function ConnectedCount({ devices, live }: { devices: readonly Device[]; live: LiveConnections }) {
  const active = devices.filter((device) => device.state === "active");
  const connected = active.filter((device) => connectionOf(device, live).connected);
  return (
    <span className="inline-flex flex-wrap items-center gap-x-4">
      <span className="figures">
        {connected.length} of {plural(active.length, "device")} connected
      </span>
      <LiveSign live={live} />
    </span>
  );
}

function DeviceRow({ device, live }: { device: Device; live: LiveConnections }) {
  const connection = connectionOf(device, live);
  const isOn = device.state === "active" && connection.connected;
  return (
    <li className="relative grid grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-4 border-line border-t p-4 transition-colors first:border-t-0 hover:bg-hover md:grid-cols-[auto_minmax(0,1fr)_19rem_auto]">
      <DeviceTypeIcon type={device.type} isOn={isOn} />
      <div className="min-w-0">
        <Link
          to="/devices/$id"
          params={{ id: device.id }}
          className={`block truncate rounded-sm font-semibold outline-offset-4 after:absolute after:inset-0 ${device.state === "revoked" ? "text-muted" : ""}`}
        >
          {device.name}
        </Link>
        <p className="truncate text-muted text-sm">
          <ServerName server={device.server} />
        </p>
      </div>
      <div className="grid gap-0.5 max-md:col-start-2 max-md:mt-2.5">
        <span className="flex flex-wrap items-baseline gap-x-3">
          <ConnectionState device={device} connection={connection} />
          {isOn && <HandshakeAge connection={connection} />}
        </span>
        {isOn && <SessionBytes connection={connection} />}
      </div>
      <ChevronRight
        className="size-4.5 text-muted max-md:col-start-3 max-md:row-start-1"
        aria-hidden="true"
      />
    </li>
  );
}

/** Says aloud which device came or went, and nothing of what was so from the start. */
function ConnectionAnnouncer({ devices, live }: { devices: readonly Device[]; live: LiveConnections }) {
  const [text, setText] = useState("");
  const words = useRef(new Map<string, string>());

  useEffect(() => {
    const changes: string[] = [];
    for (const device of devices) {
      const word = connectionWord(device, connectionOf(device, live));
      const before = words.current.get(device.id);
      if (before !== undefined && before !== word) changes.push(`${device.name}: ${word}.`);
      words.current.set(device.id, word);
    }
    if (changes.length > 0) setText(changes.join(" "));
  }, [devices, live]);

  return (
    <div role="status" className="sr-only">
      {text}
    </div>
  );
}

function FirstDevice() {
  return (
    <EmptyState
      icon={MonitorSmartphone}
      title="Add your first device"
      action={
        <ButtonLink to="/devices/new" tone="primary" icon={Plus}>
          Add device
        </ButtonLink>
      }
    >
      Give it a name, scan a code with the WireGuard app, and its traffic goes through the tunnel. It takes
      about a minute.
    </EmptyState>
  );
}

function NothingFound({ search }: { search: string }) {
  return (
    <EmptyState icon={SearchX} title="No device of that name">
      Nothing matches “{search}”.
    </EmptyState>
  );
}
