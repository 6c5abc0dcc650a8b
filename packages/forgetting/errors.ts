import { defineErrors } from "@securewave/foundation";

export const forgettingErrors = defineErrors("forgetting", {
  keyMissing: { status: 500, message: "The file of the key is missing." },
  keyUnreadable: { status: 500, message: "The file of the key is damaged, or is not one of SecureWave's." },
  foreignCopy: { status: 500, message: "Two copies of the key are not copies of each other." },
  notWritten: { status: 503, message: "The file of the key cannot be written." },
});
