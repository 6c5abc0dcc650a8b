import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Button, IconButton } from "./button.tsx";
import { ProblemText } from "./problem.tsx";

interface DialogProps {
  readonly isOpen: boolean;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A modal dialog of the browser itself: it holds the focus and closes on Escape. */
export function Dialog({ isOpen, title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  useEffect(() => {
    const element = dialog.current;
    if (!isOpen || element === null) return;
    const opener = document.activeElement;
    element.showModal();
    return () => {
      element.close();
      returnFocus(opener);
    };
  }, [isOpen]);

  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      className="w-[min(30rem,calc(100vw-2rem))] rounded-xl border border-line bg-raised p-0 shadow-float"
    >
      {isOpen && (
        <div className="p-6">
          <div className="-mt-1.5 -mr-2.5 mb-3 flex items-start justify-between gap-4">
            <h2 id={titleId} className="pt-2 font-semibold text-lg">
              {title}
            </h2>
            <IconButton icon={X} label="Close" onClick={onClose} />
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}

/** The browser gives the focus back by itself, unless what had it is gone: it then goes to the page's heading. */
function returnFocus(opener: Element | null): void {
  requestAnimationFrame(() => {
    if (document.activeElement !== document.body) return;
    const target = opener?.isConnected ? opener : document.querySelector("h1");
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
  });
}

interface ConfirmDialogProps {
  readonly isOpen: boolean;
  readonly title: string;
  readonly confirmLabel: string;
  readonly cancelLabel?: string;
  readonly tone?: "danger" | "primary";
  readonly onClose: () => void;
  /** The dialog stays open and shows the error when this throws. */
  readonly onConfirm: () => Promise<unknown> | undefined;
  readonly children: ReactNode;
}

export function ConfirmDialog({
  isOpen,
  title,
  confirmLabel,
  cancelLabel = "Cancel",
  tone = "danger",
  onClose,
  onConfirm,
  children,
}: ConfirmDialogProps) {
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(undefined);

  function close(): void {
    setError(undefined);
    onClose();
  }

  async function confirm(): Promise<void> {
    setPending(true);
    setError(undefined);
    try {
      await onConfirm();
      close();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setPending(false);
    }
  }

  return (
    <Dialog isOpen={isOpen} title={title} onClose={close}>
      <div className="grid gap-3 text-muted">{children}</div>
      {error !== undefined && (
        <p role="alert" className="mt-4 rounded-md bg-bad-soft p-3 text-bad text-sm">
          <ProblemText error={error} />
        </p>
      )}
      <div className="mt-6 flex flex-wrap justify-end gap-3 max-sm:*:grow">
        <Button onClick={close}>{cancelLabel}</Button>
        <Button tone={tone} isPending={isPending} onClick={confirm}>
          {confirmLabel}
        </Button>
      </div>
    </Dialog>
  );
}
