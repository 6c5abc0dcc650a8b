import { defineErrors } from "@securewave/foundation";

/** The refusals that any route can make. */
export const requestErrors = defineErrors("request", {
  invalid: { status: 400, message: "The request is not of the form this operation takes." },
  malformedJson: { status: 400, message: "The body is not valid JSON in UTF-8." },
  notFound: { status: 404, message: "There is nothing here." },
  tooLarge: { status: 413, message: "The request is larger than allowed." },
  unsupportedMediaType: { status: 415, message: "Bodies are taken as application/json." },
  notLoggedIn: { status: 401, message: "Log in first: the access token is missing, wrong or has ended." },
  notAllowed: { status: 403, message: "Your role does not allow this." },
  timedOut: { status: 503, message: "The request took too long and was given up." },
  failed: {
    status: 500,
    message: "Something went wrong on our side. Nothing was changed unless you see it.",
  },
  maintenance: {
    status: 503,
    message: "The service is under maintenance. Tunnels go on; try again when it is over.",
  },
  storeUnavailable: { status: 503, message: "The store does not answer at the moment. Try again shortly." },
});
