import type { DeviceType } from "@securewave/contracts";
import { ExternalLink } from "lucide-react";
import { type ReactNode, useState } from "react";

const WAYS = ["phone", "computer", "router"] as const;
type Way = (typeof WAYS)[number];

const LABELS = {
  phone: "Phone or tablet",
  computer: "Computer",
  router: "Linux, router",
} as const satisfies Record<Way, string>;

function wayOf(type: DeviceType): Way {
  if (type === "laptop" || type === "desktop") return "computer";
  return type === "router" ? "router" : "phone";
}

/** What to do with the config, for the kind of device it is for. */
export function Steps({ type, fileName }: { type: DeviceType; fileName: string }) {
  const [way, setWay] = useState(() => wayOf(type));
  return (
    <div>
      <fieldset className="mb-4 flex rounded-md bg-sunken p-1">
        <legend className="sr-only">Steps for</legend>
        {WAYS.map((candidate) => (
          <label
            key={candidate}
            className="grid min-h-8 grow place-items-center rounded-sm px-2 text-center text-muted text-sm has-checked:bg-surface has-checked:font-medium has-checked:text-ink has-checked:shadow-card has-focus-visible:outline-2 has-focus-visible:outline-accent pointer-coarse:min-h-11"
          >
            <input
              type="radio"
              name="way"
              className="sr-only"
              checked={way === candidate}
              onChange={() => setWay(candidate)}
            />
            {LABELS[candidate]}
          </label>
        ))}
      </fieldset>
      <ol className="grid gap-3 text-sm">
        {stepsOf(way, fileName).map((step, index) => (
          <li key={`${way}${String(index)}`} className="flex gap-3">
            <span
              className="figures grid size-6 shrink-0 place-items-center rounded-full bg-accent-soft font-semibold text-accent text-xs"
              aria-hidden="true"
            >
              {index + 1}
            </span>
            <span className="pt-0.5">{step}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function stepsOf(way: Way, fileName: string): ReactNode[] {
  const app = <AppLink />;
  if (way === "phone") {
    return [
      <>Install {app} from the app store.</>,
      <>
        Tap <b className="font-semibold">+</b>, then <b className="font-semibold">Scan from QR code</b>, and
        point it at this page.
      </>,
      <>Switch the tunnel on. This page notices when it is up.</>,
    ];
  }
  if (way === "computer") {
    return [
      <>Install {app} for Windows, macOS or Linux.</>,
      <>
        Choose <b className="font-semibold">Import tunnel from file</b> and take {fileName} from your
        downloads.
      </>,
      <>Activate the tunnel. This page notices when it is up.</>,
    ];
  }
  return [
    <>
      Put the file to <code className="break-all font-mono text-xs">/etc/wireguard/{fileName}</code>, readable
      by root only.
    </>,
    <>
      Run <code className="break-all font-mono text-xs">wg-quick up {fileName.replace(/\.conf$/, "")}</code>.
      OpenWrt and others import the file in their settings.
    </>,
    <>This page notices when the tunnel is up.</>,
  ];
}

function AppLink() {
  return (
    <a
      href="https://www.wireguard.com/install/"
      target="_blank"
      rel="noreferrer"
      className="inline-flex items-center gap-1 rounded-sm font-medium text-accent underline underline-offset-3"
    >
      the WireGuard app
      <ExternalLink className="size-3.5" aria-hidden="true" />
      <span className="sr-only">(opens in a new tab)</span>
    </a>
  );
}
