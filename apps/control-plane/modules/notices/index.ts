export type { NewNotice, Notices } from "./service.ts";
export { createNotices } from "./service.ts";
