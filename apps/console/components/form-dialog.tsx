import type { ReactNode } from "react";
import { Dialog } from "./dialog.tsx";
import { FormActions } from "./fields.tsx";
import { Form, type FormValues } from "./form.tsx";

interface FormDialogProps {
  readonly isOpen: boolean;
  readonly title: string;
  readonly lead?: ReactNode;
  readonly submitLabel: string;
  readonly tone?: "primary" | "danger";
  readonly onClose: () => void;
  /** The dialog closes when it resolves, and shows the error when it throws. */
  readonly onSubmit: (values: FormValues) => Promise<void>;
  readonly children: ReactNode;
}

/** A form in a dialog of its own. */
export function FormDialog({
  isOpen,
  title,
  lead,
  submitLabel,
  tone = "primary",
  onClose,
  onSubmit,
  children,
}: FormDialogProps) {
  async function submit(values: FormValues): Promise<void> {
    await onSubmit(values);
    onClose();
  }

  return (
    <Dialog isOpen={isOpen} title={title} onClose={onClose}>
      {lead !== undefined && <div className="mb-5 grid gap-2 text-muted">{lead}</div>}
      <Form onSubmit={submit}>
        {({ isPending }) => (
          <>
            {children}
            <FormActions label={submitLabel} isPending={isPending} onCancel={onClose} tone={tone} />
          </>
        )}
      </Form>
    </Dialog>
  );
}
