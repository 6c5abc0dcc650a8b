export { readCookie } from "./cookie.ts";
export type {
  CookieSessions,
  CookieSessionsOptions,
  NewCookieSession,
  StoredSession,
} from "./cookie-sessions.ts";
export { createCookieSessions } from "./cookie-sessions.ts";
