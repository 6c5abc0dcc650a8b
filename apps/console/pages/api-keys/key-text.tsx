import type { Client } from "@securewave/contracts";
import { CommandBlock } from "../../components/copy.tsx";
import { ShownOnce } from "../../components/shown-once.tsx";

export type ShownKey = Awaited<ReturnType<Client["apiKeys"]["create"]>>;

/** The text of an API key, which the service itself does not keep. */
export function KeyText({ shown, onDone }: { shown: ShownKey; onDone: () => void }) {
  return (
    <ShownOnce
      title={`The key ${shown.name}`}
      level={2}
      warning="Whoever has this text can do what the key allows. Keep it where the program finds it, and out of its source."
      keptLabel="I have kept it"
      consequence="The text is not shown again. Without it the key is of no use, and you would rotate or revoke it."
      onDone={onDone}
    >
      <CommandBlock command={shown.text} label="API key" />
      <p className="text-muted text-sm">
        Programs send it as{" "}
        <code className="break-words font-mono text-ink">
          Authorization: Bearer {shown.text.slice(0, 4)}…
        </code>
        . What they can ask for is in the{" "}
        <a href="/api/docs" className="rounded-sm text-accent underline underline-offset-3">
          API reference
        </a>
        .
      </p>
    </ShownOnce>
  );
}
