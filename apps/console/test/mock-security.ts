import {
  type Account,
  type ApiKey,
  type AuditEntry,
  accountErrors,
  type Block,
  blockErrors,
  type LogIn,
  type Passkey,
  sessionErrors,
} from "@securewave/contracts";
import type { KeyRings } from "@securewave/contracts/keys";
import { pageOf } from "@securewave/contracts/testing/fake-call";
import { createId } from "@securewave/foundation";
import { qrSvg } from "@securewave/wireguard";
import type { Call, Handler } from "./mock-call.ts";

type Known = Account & { password: string };

interface MockSecurityOptions {
  readonly accountOf: (cookie: string) => Known | undefined;
}

const CODE = "123456";
const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
/** About a second of work in a browser. */
const CHALLENGE_BITS = 19;
const DAY = "2026-11-02";

const ADMIN_ID = "acc_00000000000000000001";
const ANNA_ID = "acc_00000000000000000002";

const AUDIT: AuditEntry["body"][] = [
  entry("setup_completed", "system", "service", {}, "2026-10-04T08:12:40Z"),
  null,
  entry("login_succeeded", ANNA_ID, ANNA_ID, { method: "totp" }, "2026-11-01"),
  { ...entry("login_refused", "unknown", ANNA_ID, { method: "password" }, DAY), origin: "o_7Qk2mZxV1b" },
  entry("account_changed", ADMIN_ID, ANNA_ID, { role: ["customer", "support"] }, "2026-11-02T09:30:01Z"),
  entry("block_added", ADMIN_ID, "blk_00000000000000000001", { minutes: 60 }, "2026-11-02T09:31:15Z"),
];

type EntryBody = NonNullable<AuditEntry["body"]>;

function entry(
  kind: EntryBody["kind"],
  actor: string,
  subject: string,
  details: EntryBody["details"],
  time: string,
): EntryBody {
  return { kind, actor, subject, details, time };
}

function auditEntries({ kind, actor, subject }: Record<string, string>): AuditEntry[] {
  return AUDIT.map((body, index) => ({ index, leaf: "bGVhZg==", body }))
    .filter(({ body }) => kind === undefined || body?.kind === kind)
    .filter(({ body }) => actor === undefined || body?.actor === actor)
    .filter(({ body }) => subject === undefined || body?.subject === subject)
    .toReversed();
}

/** What the mock knows of log-ins, second factors, keys and blocks; one for all accounts. */
export function createMockSecurity({ accountOf }: MockSecurityOptions) {
  let isEnabled = false;
  let passkeys: Passkey[] = [];
  let apiKeys: ApiKey[] = [];
  let blocks: Block[] = [];
  let keyRings: KeyRings = {
    signing: [{ kid: "0", algorithm: "HS256", state: "signing", created_on: null, retires_on: null }],
    encryption: [
      {
        number: 1,
        algorithm: "AES-256-GCM",
        state: "sealing",
        created_on: null,
        sealed: 214,
        preshared_keys: 1284,
      },
    ],
    master_key_previous: true,
  };
  let logIns: LogIn[] = [
    logIn("browser", true, DAY),
    logIn("browser", false, "2026-10-12"),
    logIn("program", false, "2026-09-30"),
  ];

  function logIn(kind: LogIn["kind"], isCurrent: boolean, day: string): LogIn {
    return {
      id: createId("session"),
      kind,
      is_current: isCurrent,
      created_on: day,
      expires_on: "2026-12-02",
    };
  }

  function checkPassword(call: Call, name = "password"): void {
    if (accountOf(call.cookie)?.password !== call.body[name]) throw accountErrors.wrongPassword();
  }

  function checkCode({ body }: Call): void {
    if (body.code !== CODE && !recoveryCodes().includes(String(body.code))) throw sessionErrors.wrongCode();
  }

  function recoveryCodes(): string[] {
    return Array.from({ length: 10 }, (_, index) => `k7m2-${1000 + index}-w${index}qx`);
  }

  function addBlock(kind: Block["kind"], origin: string, reason: Block["reason"], minutes: number): Block {
    const nowMs = Date.now();
    const block: Block = {
      id: createId("block"),
      kind,
      origin,
      reason,
      since: new Date(nowMs).toISOString(),
      until: new Date(nowMs + minutes * 60_000).toISOString(),
    };
    blocks = [block, ...blocks];
    return block;
  }

  function addApiKey(key: Partial<ApiKey>): ApiKey {
    const made: ApiKey = {
      id: createId("apiKey"),
      name: "Key",
      scopes: ["devices:read"],
      requests_per_minute: 300,
      created_on: DAY,
      expires_on: "2027-01-31",
      previous_until: null,
      ...key,
    };
    apiKeys = [...apiKeys, made];
    return made;
  }

  function demandProof(call: Call, name = "password"): void {
    checkPassword(call, name);
    if (isEnabled && call.body.code === undefined) throw sessionErrors.secondFactorNeeded();
    if (isEnabled) checkCode(call);
  }

  const idOf = (call: Call) => call.params.id ?? "";
  const keyText = () => `swk_${createId("apiKey").slice(4)}Zk3yVqVwQm0f2T7r1cXn8uLbA5sHdE9p`;

  const handlers: Record<string, Handler> = {
    "challenges.issue": ({ query }) => {
      const ends = Math.floor(Date.now() / 1000) + 300;
      const id = "A".repeat(22);
      return { challenge: `c1.${query.purpose}.${CHALLENGE_BITS}.${ends}.${id}.${"B".repeat(43)}` };
    },
    "passwords.requestReset": () => ({ status: "mail_sent" }),
    "passwords.checkReset": (call) => {
      if (!String(call.body.token).startsWith("good")) throw accountErrors.linkInvalid();
      return { email: "anna@example.org", needs_code: call.body.token === "good-with-code" };
    },
    "passwords.reset": (call) => {
      if (call.body.token === "good-with-code") checkCode(call);
    },
    "passwords.change": (call) => demandProof(call, "current_password"),
    "sessions.list": (call) => pageOf(logIns, call.query),
    "sessions.end": (call) => {
      logIns = logIns.filter(({ id }) => id !== idOf(call));
    },
    "sessions.logOutEverywhere": (_, response) => {
      response.setHeader("set-cookie", "securewave_session=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/");
    },
    "sessions.endAllOf": () => undefined,
    "secondFactor.resetOf": () => undefined,
    "secondFactor.show": () => ({
      is_enabled: isEnabled,
      enabled_on: isEnabled ? DAY : null,
      recovery_codes_left: isEnabled ? 10 : 0,
    }),
    "secondFactor.begin": (call) => {
      checkPassword(call);
      const url = `otpauth://totp/SecureWave:anna%40example.org?secret=${SECRET}&issuer=SecureWave`;
      return { secret: SECRET, url, qr_svg: qrSvg(url) };
    },
    "secondFactor.confirm": (call) => {
      checkCode(call);
      isEnabled = true;
      return { recovery_codes: recoveryCodes() };
    },
    "secondFactor.disable": (call) => {
      demandProof(call);
      isEnabled = false;
    },
    "secondFactor.renewRecoveryCodes": (call) => {
      demandProof(call);
      return { recovery_codes: recoveryCodes() };
    },
    "passkeys.list": () => ({ items: passkeys }),
    "passkeys.begin": (call) => {
      demandProof(call);
      const user = { id: "dXNlcg", name: "anna@example.org", displayName: "anna@example.org" };
      return {
        challenge: "bW9jay1jaGFsbGVuZ2U",
        rp: { name: "SecureWave" },
        user,
        pubKeyCredParams: [{ type: "public-key", alg: -7 }],
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      };
    },
    "passkeys.add": (call) => {
      const passkey: Passkey = {
        id: createId("passkey"),
        name: String(call.body.name),
        is_synced: true,
        created_on: DAY,
      };
      passkeys = [...passkeys, passkey];
      return passkey;
    },
    "passkeys.rename": (call) => {
      passkeys = passkeys.map((passkey) =>
        passkey.id === idOf(call) ? { ...passkey, name: String(call.body.name) } : passkey,
      );
      return passkeys.find(({ id }) => id === idOf(call));
    },
    "passkeys.remove": (call) => {
      demandProof(call);
      passkeys = passkeys.filter(({ id }) => id !== idOf(call));
    },
    "session.passkeyOptions": () => ({ challenge: "bW9jay1jaGFsbGVuZ2U", userVerification: "required" }),
    "session.openWithPasskey": () => {
      throw sessionErrors.wrongCredentials();
    },
    "apiKeys.list": (call) => pageOf(apiKeys, call.query),
    "apiKeys.create": (call) => {
      demandProof(call);
      const { password: _, code: __, expires_in_days: ___, ...body } = call.body;
      return { ...addApiKey(body), text: keyText() };
    },
    "apiKeys.rotate": (call) => {
      demandProof(call);
      apiKeys = apiKeys.map((key) =>
        key.id === idOf(call) ? { ...key, previous_until: "2026-11-03" } : key,
      );
      return { ...apiKeys.find(({ id }) => id === idOf(call)), text: keyText() };
    },
    "apiKeys.revoke": (call) => {
      apiKeys = apiKeys.filter(({ id }) => id !== idOf(call));
    },
    "keys.list": () => keyRings,
    "keys.rotate": ({ body }) => {
      if (body.what === "signing") {
        const key = { kid: "k7m2w0qx", algorithm: "HS256", created_on: DAY, retires_on: null } as const;
        keyRings = { ...keyRings, signing: [{ ...key, state: "arriving" }, ...keyRings.signing] };
      }
      return keyRings;
    },
    "audit.list": ({ query }) => pageOf(auditEntries(query), query),
    "audit.checkpoint": () => ({
      size: AUDIT.length,
      note: "vpn.example.org/audit\n6\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— vpn.example.org Az3grlgt…\n",
      verifier_key: "vpn.example.org+d81fc9ab+AY1NUdLNWzMtIQJPmPAEThrkBCSHR2Ek5ZrLuvpJEyQf",
    }),
    "blocks.list": (call) => pageOf(blocks, call.query),
    "blocks.add": (call) => {
      const network = String(call.body.network);
      if (!/^[0-9a-f.:/]+$/.test(network)) throw blockErrors.wrongNetwork();
      return addBlock("network", network, "staff", Number(call.body.minutes));
    },
    "blocks.lift": (call) => {
      blocks = blocks.filter(({ id }) => id !== idOf(call));
    },
  };

  return {
    handlers,
    addApiKey,
    addBlock,
    demandProof,
    /** Asks for the second step where it is switched on. */
    demandCode(call: Call): void {
      if (!isEnabled) return;
      if (call.body.code === undefined) throw sessionErrors.secondFactorNeeded();
      checkCode(call);
    },
    enableSecondFactor(): void {
      isEnabled = true;
    },
  };
}
