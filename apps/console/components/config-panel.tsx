import { Download } from "lucide-react";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { download } from "../download.ts";
import type { TunnelFile } from "../tunnel-file.ts";
import { Button } from "./button.tsx";
import { CopyButton } from "./copy.tsx";
import { Card } from "./page.tsx";

/** Pixels per module: more makes the code larger than a phone's camera needs. */
const QR_SCALE_MAX = 5;

interface ConfigPanelProps {
  readonly file: TunnelFile;
  readonly deviceName: string;
  /** Told when the reader has taken the config out of the page. */
  readonly onSaved?: () => void;
  readonly children?: ReactNode;
}

/** A config in all the forms it can be taken in. */
export function ConfigPanel({ file, deviceName, onSaved, children }: ConfigPanelProps) {
  return (
    <Card className="grid items-start gap-x-8 gap-y-6 p-4 sm:p-6 md:grid-cols-[auto_minmax(0,1fr)]">
      <QrCode file={file} deviceName={deviceName} />
      <div className="grid min-w-0 gap-5">
        <div className="flex flex-wrap gap-3 max-sm:*:grow">
          <Button
            tone="primary"
            icon={Download}
            onClick={() => {
              download(file);
              onSaved?.();
            }}
          >
            Download {file.name}
          </Button>
          <CopyButton text={file.text} label="Copy text" onCopied={() => onSaved?.()} />
        </div>
        {children}
        <details className="text-sm">
          <summary className="w-fit rounded-sm font-medium text-accent">Show the text</summary>
          <pre className="mt-3 whitespace-pre-wrap break-all rounded-md bg-sunken p-4 font-mono text-xs">
            <code>{file.text}</code>
          </pre>
        </details>
      </div>
    </Card>
  );
}

/** The code on white, each module a whole number of pixels, as large as the place allows. */
function QrCode({ file, deviceName }: { file: TunnelFile; deviceName: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const [scale, setScale] = useState(QR_SCALE_MAX - 1);

  useLayoutEffect(() => {
    const element = frame.current?.parentElement;
    if (!element) return;
    const fit = () => {
      const { paddingLeft, paddingRight } = getComputedStyle(element);
      const width = element.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
      const room = width > 560 ? width / 2 : width;
      setScale(Math.max(2, Math.min(QR_SCALE_MAX, Math.floor(room / file.qrModules))));
    };
    fit();
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    return () => observer.disconnect();
  }, [file.qrModules]);

  const side = file.qrModules * scale;
  return (
    <div ref={frame} className="justify-self-center overflow-hidden rounded-md border border-line bg-paper">
      <img
        src={file.qrUrl}
        width={side}
        height={side}
        alt={`QR code with the WireGuard config of ${deviceName}`}
        className="block max-w-none"
        draggable={false}
      />
    </div>
  );
}
