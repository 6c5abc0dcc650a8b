import { defineErrors } from "@securewave/foundation";

/** What goes wrong with Vault. Details name paths and settings, never a token, a secret or what Vault wrote. */
export const vaultErrors = defineErrors("vault", {
  unreachable: {
    status: 503,
    message: "Vault cannot be reached. Check VAULT_ADDR and, for https, VAULT_CACERT.",
  },
  sealed: { status: 503, message: "Vault is sealed or not initialised. Unseal it." },
  unavailable: { status: 503, message: "Vault answers that it cannot serve at the moment." },
  loginRefused: {
    status: 500,
    message: "Vault refuses the log-in: the token, role id or secret id is not valid.",
  },
  denied: { status: 500, message: "Vault's policy does not allow this." },
  notFound: { status: 500, message: "Vault holds nothing there." },
  refused: { status: 500, message: "Vault does not take this request." },
  redirected: {
    status: 500,
    message: "Vault redirects to another address. Set VAULT_ADDR to the one it names.",
  },
  unexpected: {
    status: 500,
    message: "The answer is not one of Vault's. Is VAULT_ADDR the address of a Vault?",
  },
  fileUnreadable: { status: 500, message: "A file that the Vault settings name cannot be read." },
});
