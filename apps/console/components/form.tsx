import { CircleAlert } from "lucide-react";
import {
  createContext,
  type FormEvent,
  type ReactNode,
  use,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { type FormProblem, formProblemOf, pauseOf } from "../problems.ts";
import { ProblemText } from "./problem.tsx";

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
  /** Which of the boxes of this name are ticked. */
  ticked(name: string): string[];
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
    const invalid = form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-invalid]');
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
      setExplained(
        explainError?.(error) ?? (pauseOf(error) !== undefined ? <ProblemText error={error} /> : undefined),
      );
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
  const ticked = (name: string) => data.getAll(name).filter((value) => typeof value === "string");
  return { secret, ticked, text: (name) => secret(name).trim() };
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
  const isBlank = input.required && !isChoice(input) && input.value.trim() === "";
  if (validity.valueMissing || isBlank) return input.dataset.missing ?? "Please fill this in.";
  // `tooShort` is told only of what was typed, and not of what a password manager filled in.
  if (input.value.length < input.minLength) return `At least ${input.minLength} characters, please.`;
  if (validity.rangeUnderflow || validity.rangeOverflow)
    return `Between ${input.min} and ${input.max}, please.`;
  if (!validity.valid) return input.dataset.wrong ?? "This is not in the right form.";
  return undefined;
}

function isChoice({ type }: HTMLInputElement): boolean {
  return type === "radio" || type === "checkbox";
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

/** A label, a control, and what is wrong with it. */
export function Field({ name, label, hint, children }: FieldProps) {
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

/** What a refused form says of one of its fields, and how to take it back once the field is changed. */
export function useFieldProblem(name: string): { problem: string | undefined; clear: () => void } {
  const { problem, clear } = use(FormContext);
  return { problem: problem.fields[name], clear: () => clear(name) };
}
