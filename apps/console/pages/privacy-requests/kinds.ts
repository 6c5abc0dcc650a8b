import type { PrivacyRequest } from "@securewave/contracts";

type Kind = PrivacyRequest["kind"];

export const KIND_NAMES = {
  export: "A copy of one's data",
  deletion: "Deletion",
  other: "Something else",
} as const satisfies Record<Kind, string>;

export const KINDS = ["export", "deletion", "other"] as const satisfies readonly Kind[];

export const STATE_NAMES = {
  open: "Open",
  done: "Done",
  refused: "Refused",
} as const satisfies Record<PrivacyRequest["state"], string>;
