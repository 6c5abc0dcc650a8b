import { createLink } from "@tanstack/react-router";
import { LoaderCircle, type LucideIcon } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";

const TONES = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover",
  secondary: "border border-outline/60 bg-surface text-ink hover:bg-hover",
  quiet: "text-ink hover:bg-hover",
  danger: "bg-bad-fill text-on-bad hover:opacity-90",
  dangerQuiet: "border border-outline/60 bg-surface text-bad hover:bg-bad-soft",
} as const;

const SIZES = {
  normal: "min-h-10 px-4 py-2 pointer-coarse:min-h-11",
  small: "min-h-8 px-3 py-1 text-sm pointer-coarse:min-h-11",
};

interface Looks {
  readonly tone?: keyof typeof TONES;
  readonly size?: keyof typeof SIZES;
  readonly icon?: LucideIcon | undefined;
}

function classesOf(tone: keyof typeof TONES, size: keyof typeof SIZES): string {
  return `inline-flex items-center justify-center gap-2 rounded-md font-medium whitespace-nowrap transition-colors select-none ${SIZES[size]} ${TONES[tone]}`;
}

export interface ButtonProps extends ComponentProps<"button">, Looks {
  /** Shows work under way; the button keeps the focus and takes no second press. */
  readonly isPending?: boolean;
}

export function Button({
  tone = "secondary",
  size = "normal",
  icon: Icon,
  isPending = false,
  type = "button",
  className = "",
  children,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type={type}
      aria-disabled={isPending || undefined}
      className={`${classesOf(tone, size)} disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:cursor-progress aria-disabled:opacity-75 ${className}`}
      onClick={isPending ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {isPending ? (
        <LoaderCircle className="size-4 animate-spin" aria-hidden="true" />
      ) : (
        Icon && <Icon className="size-4 shrink-0" aria-hidden="true" />
      )}
      {children}
    </button>
  );
}

interface AnchorProps extends ComponentProps<"a">, Looks {}

function Anchor({
  tone = "secondary",
  size = "normal",
  icon: Icon,
  className = "",
  children,
  ...rest
}: AnchorProps) {
  return (
    <a className={`${classesOf(tone, size)} ${className}`} {...rest}>
      {Icon && <Icon className="size-4 shrink-0" aria-hidden="true" />}
      {children}
    </a>
  );
}

/** A link to another page that looks like a button. */
export const ButtonLink = createLink(Anchor);

export function IconButton({
  icon: Icon,
  label,
  className = "",
  ...rest
}: ComponentProps<"button"> & { icon: LucideIcon; label: string; children?: ReactNode }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-flex size-10 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-hover hover:text-ink pointer-coarse:size-11 ${className}`}
      {...rest}
    >
      <Icon className="size-4.5" aria-hidden="true" />
    </button>
  );
}
