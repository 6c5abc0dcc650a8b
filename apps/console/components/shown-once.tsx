import { useBlocker } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useAccount } from "../use-session.ts";
import { Button } from "./button.tsx";
import { ConfirmDialog } from "./dialog.tsx";
import { Notice } from "./state.tsx";

interface ShownOnceProps {
  readonly title: string;
  /** Of its heading, within the page that shows it. */
  readonly level: 2 | 3;
  /** Why one should keep it. */
  readonly warning: string;
  readonly keptLabel: string;
  /** What happens to who leaves without it. */
  readonly consequence: string;
  readonly onDone: () => void;
  readonly children: ReactNode;
}

/** Something that is shown this one time: nobody leaves it by mistake. */
export function ShownOnce({
  title,
  level,
  warning,
  keptLabel,
  consequence,
  onDone,
  children,
}: ShownOnceProps) {
  const [isKept, setKept] = useState(false);
  const Heading = `h${level}` as const;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  // Who was logged out meanwhile is not held back.
  const mustStay = useAccount() !== undefined && !isKept;
  const blocker = useBlocker({
    shouldBlockFn: () => mustStay,
    enableBeforeUnload: () => mustStay,
    withResolver: true,
  });

  return (
    <div className="grid gap-5 rounded-lg border border-line bg-surface p-5 shadow-card sm:p-6">
      <Heading ref={heading} tabIndex={-1} className="break-words font-semibold text-lg outline-none">
        {title}
      </Heading>
      {children}
      <Notice tone="warn" title="Shown once">
        {warning}
      </Notice>
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <label className="flex min-h-11 items-center gap-3">
          <input
            type="checkbox"
            className="size-4.5 shrink-0"
            checked={isKept}
            onChange={(event) => setKept(event.target.checked)}
          />
          {keptLabel}
        </label>
        <Button tone="primary" disabled={!isKept} onClick={onDone} className="max-sm:grow">
          Done
        </Button>
      </div>
      <ConfirmDialog
        isOpen={blocker.status === "blocked"}
        title="Leave without it?"
        confirmLabel="Leave"
        cancelLabel="Stay here"
        onClose={() => blocker.reset?.()}
        onConfirm={async () => blocker.proceed?.()}
      >
        <p>{consequence}</p>
      </ConfirmDialog>
    </div>
  );
}
