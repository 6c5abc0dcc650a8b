import type { ReactNode } from "react";
import { Field } from "../../components/form.tsx";

interface TextAreaProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: ReactNode;
  readonly defaultValue?: string;
  readonly onChange?: (text: string) => void;
}

/** Several lines, as everybody is going to read them. */
export function TextArea({ label, hint, onChange, ...area }: TextAreaProps) {
  return (
    <Field name={area.name} label={label} hint={hint}>
      {(control) => (
        <textarea
          {...area}
          {...control}
          rows={4}
          maxLength={4000}
          className="control"
          onChange={(event) => onChange?.(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** As the status page shows it: lines are paragraphs, and nothing in them is markup. */
export function Preview({ text }: { text: string }) {
  const lines = text.split(/\n+/).filter((line) => line.trim() !== "");
  return (
    <div className="rounded-md border border-line border-dashed p-3 text-sm">
      <p className="mb-1 text-muted text-xs">Preview</p>
      {lines.length === 0 ? (
        <p className="text-muted">What you write appears here.</p>
      ) : (
        lines.map((line, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
          <p key={at} className="break-words">
            {line}
          </p>
        ))
      )}
    </div>
  );
}
