export type { Letter, Mail } from "./mail.ts";
export { createMail } from "./mail.ts";
