import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./button.tsx";
import { notifyError } from "./toast.tsx";

interface CopyButtonProps {
  readonly text: string;
  readonly label: string;
  readonly onCopied?: () => void;
  readonly size?: "normal" | "small";
}

export function CopyButton({ text, label, onCopied, size = "normal" }: CopyButtonProps) {
  const [isCopied, setCopied] = useState(false);

  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 2500);
    return () => clearTimeout(timer);
  }, [isCopied]);

  async function copy(): Promise<void> {
    try {
      await copyText(text);
      setCopied(true);
      onCopied?.();
    } catch (error) {
      notifyError(error);
    }
  }

  return (
    <>
      <Button size={size} icon={isCopied ? Check : Copy} onClick={copy}>
        {isCopied ? "Copied" : label}
      </Button>
      <span role="status" className="sr-only">
        {isCopied ? "Copied" : ""}
      </span>
    </>
  );
}

/** The Clipboard API works on HTTPS and on this machine only; a service on plain HTTP has the older way. */
async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("The browser did not let the page copy.");
}

/** A command to run elsewhere, with a button that copies it. */
export function CommandBlock({ command, label }: { command: string; label: string }) {
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-sunken">
      <div className="flex items-center justify-between gap-4 border-line border-b py-1.5 pr-1.5 pl-4">
        <span className="text-muted text-sm">{label}</span>
        <CopyButton text={command} label="Copy" size="small" />
      </div>
      <pre className="whitespace-pre-wrap break-all p-4 font-mono text-sm">
        <code>{command}</code>
      </pre>
    </div>
  );
}
