import { CircleAlert, Eye, EyeOff } from "lucide-react";
import {
  type ComponentProps,
  createContext,
  type FormEvent,
  type ReactNode,
  use,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { type FormProblem, formProblemOf } from "../problems.ts";

const NO_PROBLEM: FormProblem = { fields: {}, general: undefined };

interface FormState {
  readonly problem: FormProblem;
  clear(name: string): void;
}

const FormContext = createContext<FormState>({ problem: NO_PROBLEM, clear: () => undefined });

export interface FormProps {
  /** What the fields hold, by their names. A thrown error is sorted onto the fields. */
  readonly onSubmit: (values: FormValues) => Promise<void>;
  readonly children: (state: { isPending: boolean }) => ReactNode;
  /** Shows the error above the fields in its own way. */
  readonly explainError?: (error: unknown) => ReactNode | undefined;
  readonly className?: string;
}

export interface FormValues {
  /** The text of a field without blanks around it; empty when there is none. */
  text(name: string): string;
  /** As typed. */
  secret(name: string): string;
}

/** A form that checks its fields itself, in words, and puts errors where they belong. */
export function Form({ onSubmit, children, explainError, className = "grid gap-5" }: FormProps) {
  const [problem, setProblem] = useState<FormProblem>(NO_PROBLEM);
  const [explained, setExplained] = useState<ReactNode>(undefined);
  const [isPending, setPending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const alert = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (problem === NO_PROBLEM) return;
    const invalid = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    (invalid ?? alert.current)?.focus();
  }, [problem]);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    event.stopPropagation();
    if (isPending) return;
    const element = event.currentTarget;
    const fields = checkFields(element);
    setExplained(undefined);
    if (Object.keys(fields).length > 0) return setProblem({ fields, general: undefined });
    setProblem(NO_PROBLEM);
    setPending(true);
    try {
      await onSubmit(valuesOf(new FormData(element)));
    } catch (error) {
      setExplained(explainError?.(error));
      setProblem(formProblemOf(error, namesOf(element)));
    } finally {
      setPending(false);
    }
  }

  const state: FormState = {
    problem,
    clear(name) {
      if (problem.fields[name] === undefined) return;
      const { [name]: _, ...fields } = problem.fields;
      setProblem(Object.keys(fields).length > 0 || problem.general ? { ...problem, fields } : NO_PROBLEM);
    },
  };

  return (
    <FormContext value={state}>
      <form ref={form} noValidate onSubmit={submit} className={className}>
        {problem.general !== undefined && (
          <div
            ref={alert}
            tabIndex={-1}
            role="alert"
            className="flex gap-3 rounded-md bg-bad-soft p-3 text-bad text-sm"
          >
            <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
            <div className="min-w-0">{explained ?? problem.general}</div>
          </div>
        )}
        {children({ isPending })}
      </form>
    </FormContext>
  );
}

function valuesOf(data: FormData): FormValues {
  const secret = (name: string) => {
    const value = data.get(name);
    return typeof value === "string" ? value : "";
  };
  return { secret, text: (name) => secret(name).trim() };
}

type Input = HTMLInputElement | HTMLSelectElement;

function inputsOf(form: HTMLFormElement): Input[] {
  return [...form.elements].filter(
    (element): element is Input =>
      element instanceof HTMLInputElement || element instanceof HTMLSelectElement,
  );
}

function namesOf(form: HTMLFormElement): string[] {
  return [...new Set(inputsOf(form).map((input) => input.name))].filter((name) => name !== "");
}

function checkFields(form: HTMLFormElement): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const input of inputsOf(form)) {
    const message = messageOf(input);
    if (message !== undefined) fields[input.name] ??= message;
  }
  return fields;
}

function messageOf(input: Input): string | undefined {
  if (input instanceof HTMLSelectElement || input.type === "hidden") return undefined;
  const { validity } = input;
  const isBlank = input.required && input.type !== "radio" && input.value.trim() === "";
  if (validity.valueMissing || isBlank) return input.dataset.missing ?? "Please fill this in.";
  // `tooShort` is told only of what was typed, and not of what a password manager filled in.
  if (input.value.length < input.minLength) return `At least ${input.minLength} characters, please.`;
  if (validity.rangeUnderflow || validity.rangeOverflow)
    return `Between ${input.min} and ${input.max}, please.`;
  if (!validity.valid) return input.dataset.wrong ?? "This is not in the right form.";
  return undefined;
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: ReactNode;
  readonly children: (control: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": true | undefined;
    onInput: () => void;
  }) => ReactNode;
}

function Field({ name, label, hint, children }: FieldProps) {
  const { problem, clear } = use(FormContext);
  const id = useId();
  const error = problem.fields[name];
  const described = [error !== undefined && `${id}-error`, hint !== undefined && `${id}-hint`].filter(
    Boolean,
  );
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="justify-self-start font-medium text-sm">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": described.join(" ") || undefined,
        "aria-invalid": error === undefined ? undefined : true,
        onInput: () => clear(name),
      })}
      {error !== undefined && (
        <p id={`${id}-error`} className="flex gap-1.5 text-bad text-sm">
          <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-muted text-sm">
          {hint}
        </p>
      )}
    </div>
  );
}

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

/** The error of a group of choices, which has no single control to stand beside. */
export function GroupError({ name }: { name: string }) {
  const { problem } = use(FormContext);
  const error = problem.fields[name];
  if (error === undefined) return null;
  return (
    <p role="alert" className="mt-2 flex gap-1.5 text-bad text-sm">
      <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
      {error}
    </p>
  );
}
