/** What is sealed under an account's key. Changing a word would lose what was sealed by it. */
export const PLACES = {
  email: "accounts.email",
  password: "accounts.password",
  deviceName: "devices.name",
  devicePrivateKey: "devices.private_key",
  devicePresharedKey: "devices.preshared_key",
  passkeyName: "passkeys.name",
  apiKeyName: "api_keys.name",
  secondFactor: "second_factors.secret",
  usageDay: "usage_history.mebibytes",
  requestText: "privacy_requests.text",
  cursor: "cursor",
} as const;
