export type { LetterKind, LetterLimits } from "./letter-limits.ts";
export { createLetterLimits } from "./letter-limits.ts";
export type { Letter, Mail } from "./mail.ts";
export { createMail } from "./mail.ts";
