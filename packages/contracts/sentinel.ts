import { defineErrors } from "@securewave/foundation";

/** What the security layer in front of the routes says no with. */
export const sentinelErrors = defineErrors("sentinel", {
  tooManyRequests: { status: 429, message: "Too many requests. Wait a moment and try again." },
  blocked: {
    status: 403,
    message: "Requests from your network are blocked for a while, after too many that were refused.",
  },
  unknownHost: { status: 421, message: "This service is not reached under that host name." },
  forgedRequest: {
    status: 403,
    message: "This request did not come from the service's own pages. Reload the page and try again.",
  },
  challengeRequired: {
    status: 403,
    message: "Show first that you are not a robot: solve the challenge of /api/auth/challenge.",
  },
  challengeFailed: { status: 403, message: "The challenge was not solved, was used before or has ended." },
  scopeMissing: { status: 403, message: "This API key has no scope for that." },
});
