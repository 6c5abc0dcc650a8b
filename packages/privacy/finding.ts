/** Something that is kept or sent and is not in the catalogue, or goes beyond what it says. */
export interface Finding {
  readonly rule: string;
  /** `accounts.last_seen` */
  readonly place: string;
  readonly problem: string;
  readonly mend: string;
}

export function describeFinding({ rule, place, problem, mend }: Finding): string {
  return `${place}: ${problem} (${rule}). ${mend}`;
}
