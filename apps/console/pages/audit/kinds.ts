import type { AuditKind } from "@securewave/contracts";

/** What each kind of entry says, in words. */
export const KIND_WORDS: Readonly<Record<AuditKind, string>> = {
  login_succeeded: "Logged in",
  login_refused: "Log-in refused",
  refresh_reused: "Refresh token used twice",
  session_ended: "Log-in ended",
  sessions_ended: "All log-ins ended",
  second_factor_enabled: "Authenticator app switched on",
  second_factor_disabled: "Authenticator app switched off",
  second_factor_reset_by_staff: "Second factor reset by staff",
  recovery_code_used: "Recovery code used",
  recovery_codes_renewed: "Recovery codes renewed",
  passkey_added: "Passkey added",
  passkey_removed: "Passkey removed",
  password_changed: "Password changed",
  password_reset: "Password reset by mail",
  api_key_created: "API key made",
  api_key_rotated: "API key rotated",
  api_key_revoked: "API key revoked",
  setup_completed: "Service set up",
  account_created: "Account created",
  account_changed: "Account changed",
  settings_changed: "Settings changed",
  plan_created: "Plan added",
  plan_changed: "Plan changed",
  plan_removed: "Plan removed",
  account_plan_changed: "Plan of an account changed",
  account_usage_read: "Usage of an account looked at",
  block_added: "Block added",
  block_lifted: "Block lifted",
  node_created: "Node registered",
  node_changed: "Node changed",
  node_join_allowed: "Node allowed to join",
  node_joined: "Node joined",
  node_removed: "Node removed",
  node_quarantined: "Node quarantined",
  node_trusted: "Node trusted again",
  device_revoked_by_staff: "Device revoked by staff",
  deletion_requested: "Deletion of an account asked for",
  deletion_withdrawn: "Deletion of an account taken back",
  account_erased: "Account erased",
  consent_given: "Consent given",
  consent_withdrawn: "Consent taken back",
  data_exported: "Own data exported",
  privacy_request_closed: "Privacy request closed",
  keys_rotated: "Keys rotated",
  audit_exported: "Audit trail exported",
  restored_from_backup: "Restored from a backup",
  audit_archived: "Audit trail archived",
};

interface KindGroup {
  readonly title: string;
  readonly kinds: readonly AuditKind[];
}

export const KIND_GROUPS: readonly KindGroup[] = [
  {
    title: "Log-ins",
    kinds: ["login_succeeded", "login_refused", "refresh_reused", "session_ended", "sessions_ended"],
  },
  {
    title: "Ways to log in",
    kinds: [
      "second_factor_enabled",
      "second_factor_disabled",
      "second_factor_reset_by_staff",
      "recovery_code_used",
      "recovery_codes_renewed",
      "passkey_added",
      "passkey_removed",
      "password_changed",
      "password_reset",
    ],
  },
  { title: "API keys", kinds: ["api_key_created", "api_key_rotated", "api_key_revoked"] },
  {
    title: "Accounts and service",
    kinds: [
      "setup_completed",
      "account_created",
      "account_changed",
      "settings_changed",
      "device_revoked_by_staff",
      "keys_rotated",
    ],
  },
  {
    title: "Privacy",
    kinds: [
      "deletion_requested",
      "deletion_withdrawn",
      "account_erased",
      "consent_given",
      "consent_withdrawn",
      "data_exported",
      "privacy_request_closed",
    ],
  },
  {
    title: "Plans and usage",
    kinds: ["plan_created", "plan_changed", "plan_removed", "account_plan_changed", "account_usage_read"],
  },
  { title: "Blocks", kinds: ["block_added", "block_lifted"] },
  {
    title: "Nodes",
    kinds: [
      "node_created",
      "node_changed",
      "node_join_allowed",
      "node_joined",
      "node_removed",
      "node_quarantined",
      "node_trusted",
    ],
  },
  {
    title: "The trail itself",
    kinds: ["audit_exported", "audit_archived", "restored_from_backup"],
  },
];
