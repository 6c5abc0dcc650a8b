import { CircleAlert, Eye, EyeOff } from "lucide-react";
import { type ComponentProps, type ReactNode, useState } from "react";
import { Button } from "./button.tsx";
import { Field, useFieldProblem } from "./form.tsx";

interface TextFieldProps extends Omit<ComponentProps<"input">, "name"> {
  readonly name: string;
  readonly label: string;
  readonly hint?: ReactNode;
  /** Said when the field is empty and must not be. */
  readonly missing?: string;
  /** Said when the text has not the form of the field. */
  readonly wrong?: string;
}

export function TextField({ label, hint, missing, wrong, className = "", ...input }: TextFieldProps) {
  return (
    <Field name={input.name} label={label} hint={hint}>
      {(control) => (
        <input
          {...input}
          {...control}
          data-missing={missing}
          data-wrong={wrong}
          className={`control ${className}`}
        />
      )}
    </Field>
  );
}

export function EmailField(props: Partial<TextFieldProps>) {
  return (
    <TextField
      name="email"
      label="Mail address"
      type="email"
      autoComplete="email"
      inputMode="email"
      maxLength={254}
      // As the contract has it: a domain of at least two parts.
      pattern="[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+"
      missing="Enter your mail address."
      wrong="This is not a mail address: it has the form name@example.org."
      required
      {...props}
    />
  );
}

export function PasswordField({ isNew = false, ...props }: Partial<TextFieldProps> & { isNew?: boolean }) {
  const [isShown, setShown] = useState(false);
  const { label = "Password", name = "password", hint, ...input } = props;
  const Icon = isShown ? EyeOff : Eye;
  return (
    <Field
      name={name}
      label={label}
      hint={isNew ? (hint ?? "At least 10 characters. Length is what counts.") : hint}
    >
      {(control) => (
        <div className="relative">
          <input
            name={name}
            type={isShown ? "text" : "password"}
            autoComplete={isNew ? "new-password" : "current-password"}
            minLength={isNew ? 10 : undefined}
            maxLength={256}
            data-missing={isNew ? "Choose a password." : "Enter your password."}
            required
            {...input}
            {...control}
            className="control pr-12"
          />
          <button
            type="button"
            aria-label={isShown ? "Hide password" : "Show password"}
            aria-pressed={isShown}
            className="absolute inset-y-0 right-0 grid w-11 place-items-center rounded-md text-muted hover:text-ink"
            onClick={() => setShown(!isShown)}
          >
            <Icon className="size-4.5" aria-hidden="true" />
          </button>
        </div>
      )}
    </Field>
  );
}

interface SelectFieldProps extends Omit<ComponentProps<"select">, "name"> {
  readonly name: string;
  readonly label: string;
  readonly hint?: ReactNode;
}

export function SelectField({ label, hint, children, ...select }: SelectFieldProps) {
  return (
    <Field name={select.name} label={label} hint={hint}>
      {(control) => (
        <select {...select} {...control} className="control">
          {children}
        </select>
      )}
    </Field>
  );
}

const CODE_KINDS = {
  app: {
    label: "Code of your authenticator app",
    // Apps show the digits with a blank between.
    pattern: "\\s*[0-9]{3} ?[0-9]{3}\\s*",
    missing: "Enter the six digits that the app shows.",
    wrong: "The code of the app has six digits.",
  },
  recovery: {
    label: "Recovery code",
    pattern: "\\s*[0-9A-Za-z \\-]{6,20}\\s*",
    missing: "Enter one of your recovery codes.",
    wrong: "Recovery codes are letters, digits and hyphens.",
  },
  either: {
    label: "Code of your authenticator app, or a recovery code",
    pattern: "\\s*[0-9A-Za-z \\-]{6,20}\\s*",
    missing: "Enter the six digits that the app shows, or a recovery code.",
    wrong: "Codes are digits, or letters and hyphens for a recovery code.",
  },
} as const;

interface CodeFieldProps extends Partial<TextFieldProps> {
  readonly kind?: keyof typeof CODE_KINDS;
}

/** The second factor. */
export function CodeField({ kind = "app", ...props }: CodeFieldProps) {
  return (
    <TextField
      name="code"
      autoComplete={kind === "recovery" ? "off" : "one-time-code"}
      inputMode={kind === "app" ? "numeric" : "text"}
      autoCapitalize="none"
      spellCheck={false}
      maxLength={24}
      className="font-mono"
      required
      {...CODE_KINDS[kind]}
      {...props}
    />
  );
}

interface NumberFieldProps extends Omit<TextFieldProps, "min" | "max"> {
  readonly min: number;
  readonly max: number;
}

/** A whole number. */
export function NumberField(props: NumberFieldProps) {
  return (
    <TextField
      type="number"
      inputMode="numeric"
      step={1}
      missing="Say how many."
      wrong="A whole number, please."
      required
      {...props}
    />
  );
}

interface FormActionsProps {
  readonly label: string;
  readonly isPending: boolean;
  readonly onCancel: () => void;
  readonly tone?: "primary" | "danger";
}

/** What ends a form in a dialog. */
export function FormActions({ label, isPending, onCancel, tone = "primary" }: FormActionsProps) {
  return (
    <div className="mt-1 flex flex-wrap justify-end gap-3 max-sm:*:grow">
      <Button onClick={onCancel}>Cancel</Button>
      <Button type="submit" tone={tone} isPending={isPending}>
        {label}
      </Button>
    </div>
  );
}

/** The error of a group of choices, which has no single control to stand beside. */
export function GroupError({ name }: { name: string }) {
  const { problem: error } = useFieldProblem(name);
  if (error === undefined) return null;
  return (
    <p role="alert" tabIndex={-1} data-invalid className="mt-2 flex gap-1.5 text-bad text-sm">
      <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
      {error}
    </p>
  );
}
