import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { explain } from "../problems.ts";
import { IconButton } from "./button.tsx";

const SHOWN_MS = 6000;

interface Toast {
  readonly id: number;
  readonly message: string;
  readonly isError: boolean;
}

let toasts: readonly Toast[] = [];
let lastId = 0;
const subscribers = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const changed of subscribers) changed();
}

function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

function show(message: string, isError: boolean): void {
  const id = ++lastId;
  set([...toasts.slice(-2), { id, message, isError }]);
  // An error stays until it is read.
  if (!isError) setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Says for a moment that something was done. */
export function notify(message: string): void {
  show(message, false);
}

export function notifyError(error: unknown): void {
  show(explain(error), true);
}

function subscribe(changed: () => void): () => void {
  subscribers.add(changed);
  return () => subscribers.delete(changed);
}

/** Where messages appear: above everything, open dialogs too. */
export function Toaster() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  const region = useRef<HTMLElement>(null);

  useEffect(() => {
    const element = region.current;
    if (!element) return;
    if (element.matches(":popover-open")) element.hidePopover();
    if (shown.length > 0) element.showPopover();
  }, [shown]);

  return (
    <>
      <div role="status" aria-live="polite" className="sr-only">
        {shown.at(-1)?.message}
      </div>
      <section
        ref={region}
        popover="manual"
        aria-label="Messages"
        className="fixed inset-auto right-4 bottom-20 left-4 m-0 bg-transparent p-1 sm:left-auto lg:bottom-4"
      >
        <ul className="grid justify-items-stretch gap-2">
          {shown.map((toast) => {
            const Icon = toast.isError ? CircleAlert : CircleCheck;
            return (
              <li
                key={toast.id}
                className="flex animate-appear items-center gap-3 rounded-lg border border-line bg-raised py-1.5 pr-1.5 pl-4 text-ink text-sm shadow-float sm:max-w-md"
              >
                <Icon
                  className={`size-4.5 shrink-0 ${toast.isError ? "text-bad" : "text-good"}`}
                  aria-hidden="true"
                />
                <span className="grow py-1.5">{toast.message}</span>
                <IconButton icon={X} label="Dismiss" onClick={() => dismiss(toast.id)} />
              </li>
            );
          })}
        </ul>
      </section>
    </>
  );
}
