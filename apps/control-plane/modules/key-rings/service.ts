import { generateKeyPairSync, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type KeyRings as KeyRingsView, keyErrors } from "@securewave/contracts/keys";
import type { Database, Tables } from "@securewave/database";
import { type Clock, dayOf, HOUR_MS, MINUTE_MS } from "@securewave/foundation";
import { createEnvelope, type Envelope, type MasterKey } from "@securewave/foundation/envelope";
import { createSecret, type Secret } from "@securewave/foundation/secret";
import type { Jobs } from "@securewave/jobs";
import type { SigningKey } from "@securewave/sentinel/tokens";
import type { Kysely } from "kysely";
import type { Bus } from "../../bus.ts";
import { loadServiceKey } from "../service-keys/index.ts";
import { resealAll } from "./reseal.ts";
import {
  type Algorithm,
  byKid,
  contextOfKid,
  FIRST_KID,
  FIRST_NUMBER,
  readEncryptionRing,
  readSigningRing,
  textOf,
} from "./rings.ts";
import { sealUnder, settleRing } from "./root.ts";
import * as store from "./store.ts";

export interface KeyRingsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly jobs: Jobs;
  readonly secrets: {
    readonly jwtSecret: Secret;
    readonly masterKey: Uint8Array;
    readonly previousMasterKey?: Uint8Array;
  };
  readonly algorithm: Algorithm;
  /** Life of an access token. */
  readonly accessHours: number;
  /** Writes into the audit trail, within the transaction of the rotation. */
  readonly record?: (trx: Kysely<Tables>, what: Rotation["what"], actor: string) => Promise<void>;
  /** Hears what goes wrong in the background. */
  readonly onTrouble: (error: unknown) => void;
  /** How long a message of the bus may take to reach every process. */
  readonly arrivalMs?: number;
}

export interface KeyRings {
  /** Seals under the key at work; opens what any key of the ring has sealed. */
  readonly envelope: Envelope;
  /** Those of this moment; the one that seals is the first. */
  encryptionKeys(): readonly MasterKey[];
  /** Those of this moment; the one that signs is the first. */
  signingKeys(): readonly SigningKey[];
  list(): Promise<KeyRingsView>;
  /**
   * Puts a new key to work once every process knows it. Tokens of the former one are good until they end, or end at
   * once with all that any former key has signed.
   *
   * @param actor the account that asks for it
   * @throws keys.rotation_running, keys.ring_full
   */
  rotateSigningKeys(actor: string, options?: { readonly endsFormer?: boolean }): Promise<void>;
  /**
   * Puts a new key to work once every process knows it, and leaves it to a job to seal everything anew under it.
   *
   * @throws keys.rotation_running, keys.ring_full
   */
  rotateMasterKeys(actor: string): Promise<void>;
  /** Drops the keys that nothing needs any more. For the nightly clean-up. */
  deleteRetired(): Promise<void>;
  close(): void;
}

/** A key that is on its way to all processes. */
interface Rotation {
  readonly what: "signing" | "encryption";
  /** Its kid or its number. */
  readonly key: string;
  /** Of a signing key: those before it are good for nothing once it is at work. */
  readonly endsFormer?: boolean;
}

const JOB = "rotate-keys";
const ARRIVAL_MS = 1_000;
/** A message that was lost costs this long at most. */
const RELOAD_MS = MINUTE_MS;
/** By then a process that starts listens to the others. */
const STARTED_MS = 3_000;
const SIGNING_KEYS_MAX = 32;
const NUMBER_MAX = 255;
/** Replicas sign with the former key until they have heard of the new one; their clocks may differ. */
const OVERLAP_MS = HOUR_MS;

/**
 * Opens the rings of keys: of those that sign access tokens, and of those that seal what is secret in the store.
 *
 * @throws master_key.wrong
 */
export async function openKeyRings(options: KeyRingsOptions): Promise<KeyRings> {
  const { database, clock, bus, jobs, secrets, algorithm, onTrouble } = options;
  const { db } = database;
  const { masterKey: root } = secrets;
  const arrivalMs = database.kind === "embedded" ? 0 : (options.arrivalMs ?? ARRIVAL_MS);
  const today = () => dayOf(clock.now());

  await settleRing(database, { present: root, previous: secrets.previousMasterKey }, today());
  let encryption = readEncryptionRing(await store.listEncryptionKeys(db), root);
  const envelope = createEnvelope(() => encryption.keys);
  const first = await firstSigningKey(db, envelope, algorithm, secrets.jwtSecret);
  let signing = readSigningRing(await store.listSigningKeys(db), first, envelope, clock.now());

  let loaded = "";
  async function load(): Promise<void> {
    const rows = await Promise.all([store.listEncryptionKeys(db), store.listSigningKeys(db)]);
    const text = JSON.stringify([rows, today()]);
    if (text === loaded) return; // whoever prepared something with these keys may keep it
    // Signing keys are opened with what was just read: they may be sealed under a key that is new.
    encryption = readEncryptionRing(rows[0], root);
    signing = readSigningRing(rows[1], first, envelope, clock.now());
    loaded = text;
  }

  let loading: Promise<void> | undefined;
  /** Whoever asks while it loads gets what is read after he asked. */
  function reload(): Promise<void> {
    const before = loading;
    const mine = (before ?? Promise.resolve()).catch(() => {}).then(load);
    loading = mine;
    return mine;
  }
  const reloadLater = () => void reload().catch(onTrouble);
  bus.subscribe("keys-changed", reloadLater, reloadLater);
  const timers = [
    setTimeout(reloadLater, STARTED_MS).unref(), // what was told before the bus was listened to
    setInterval(reloadLater, RELOAD_MS).unref(),
  ];

  async function announce(): Promise<void> {
    await reload();
    bus.publish("keys-changed", "");
  }

  async function addSigningKey(trx: Kysely<Tables>): Promise<string> {
    const rows = (await store.listSigningKeys(trx)).sort(byKid);
    if (rows.length >= SIGNING_KEYS_MAX) throw keyErrors.ringFull();
    const insert = (key: SigningKey) =>
      store.insertSigningKey(trx, {
        kid: key.kid,
        algorithm: key.algorithm,
        sealed_key: envelope.seal(textOf(key), contextOfKid(key.kid)),
        created_on: today(),
        retires_on: null,
      });
    if (rows.length === 0) await insert(first);
    const kid = String(Number(rows.at(-1)?.kid ?? FIRST_KID) + 1);
    await insert(createSigningKey(kid, algorithm));
    return kid;
  }

  async function addEncryptionKey(trx: Kysely<Tables>): Promise<string> {
    const rows = await store.listEncryptionKeys(trx);
    const insert = (master: MasterKey, state: "sealing" | "arriving") =>
      store.insertEncryptionKey(trx, {
        number: master.number,
        sealed_key: sealUnder(root, master),
        state,
        created_on: today(),
      });
    if (rows.length === 0) await insert({ number: FIRST_NUMBER, key: root }, "sealing");
    const taken = rows.length === 0 ? [FIRST_NUMBER] : rows.map(({ number }) => number);
    const number = nextNumber(taken);
    if (number === undefined) throw keyErrors.ringFull();
    await insert({ number, key: randomBytes(32) }, "arriving");
    return String(number);
  }

  async function rotate(what: Rotation["what"], actor: string, endsFormer = false): Promise<void> {
    const rotation = await database.transaction(async (trx) => {
      await store.lockRing(trx, what === "signing" ? "signing_keys" : "encryption_keys");
      if (await isArriving(trx, what)) throw keyErrors.rotationRunning();
      const key = await (what === "signing" ? addSigningKey(trx) : addEncryptionKey(trx));
      await options.record?.(trx, what, actor);
      const begun: Rotation = endsFormer ? { what, key, endsFormer } : { what, key };
      await jobs.send(JOB, begun, trx); // finishes the rotation, also when this process ends here
      return begun;
    });
    await announce();
    await sleep(arrivalMs);
    await putToWork(rotation);
  }

  async function isArriving(trx: Kysely<Tables>, what: Rotation["what"]): Promise<boolean> {
    if (what === "encryption")
      return (await store.listEncryptionKeys(trx)).some(({ state }) => state === "arriving");
    return (await store.listSigningKeys(trx)).filter(({ retires_on }) => retires_on === null).length > 1;
  }

  /** Lets a key that every process has heard of by this time sign or seal. */
  async function putToWork({ what, key, endsFormer = false }: Rotation): Promise<void> {
    await database.transaction(async (trx) => {
      if (what === "encryption") {
        await store.lockRing(trx, "encryption_keys");
        const arrived = (await store.listEncryptionKeys(trx)).find(({ state }) => state === "arriving");
        if (arrived?.number === Number(key)) await store.putToWork(trx, arrived.number);
        return;
      }
      await store.lockRing(trx, "signing_keys");
      const rows = (await store.listSigningKeys(trx)).filter(({ retires_on }) => retires_on === null);
      const former = rows.map(({ kid }) => kid).filter((kid) => Number(kid) < Number(key));
      const retiresOn = dayOf(clock.now() + options.accessHours * HOUR_MS + OVERLAP_MS);
      if (endsFormer) await store.deleteSigningKeysBefore(trx, Number(key));
      else if (former.length > 0) await store.retireSigningKeys(trx, former, retiresOn);
    });
    await announce();
  }

  const reseal = () =>
    resealAll(
      database,
      envelope,
      () => encryption.keys[0]?.number ?? FIRST_NUMBER,
      (_, error) => onTrouble(error),
    );

  jobs.define<Rotation>(JOB, async (rotation) => {
    await sleep(arrivalMs);
    await putToWork(rotation);
    if (rotation.what === "signing") return;
    await sleep(arrivalMs); // nobody seals with the former key any more
    await reseal();
  });

  // Another algorithm in the settings is a reason for another key, and tokens of the former one stay good.
  if (signing.keys[0]?.algorithm !== algorithm) {
    const key = await database.transaction(async (trx) => {
      await store.lockRing(trx, "signing_keys");
      const newest = (await store.listSigningKeys(trx)).sort(byKid).at(-1);
      return newest?.algorithm === algorithm ? newest.kid : addSigningKey(trx);
    });
    await putToWork({ what: "signing", key });
  }

  return {
    envelope,
    encryptionKeys: () => encryption.keys,
    signingKeys() {
      if (clock.now() >= signing.untilMs) {
        const keys = signing.keys.filter(({ kid }) => !hasEnded(signing.shown, kid, today()));
        signing = { ...signing, keys, untilMs: Number.POSITIVE_INFINITY };
        reloadLater();
      }
      return signing.keys;
    },
    async list() {
      await reload();
      const uses = await store.countUses(db);
      return {
        signing: [...signing.shown],
        encryption: encryption.shown.map((shown) => {
          const { sealed, presharedKeys } = uses.get(shown.number) ?? { sealed: 0, presharedKeys: 0 };
          return { ...shown, algorithm: "AES-256-GCM" as const, sealed, preshared_keys: presharedKeys };
        }),
        master_key_previous: secrets.previousMasterKey !== undefined,
      };
    },
    rotateSigningKeys: (actor, { endsFormer = false } = {}) => rotate("signing", actor, endsFormer),
    rotateMasterKeys: (actor) => rotate("encryption", actor),
    async deleteRetired() {
      await reload();
      await store.deleteRetiredSigningKeys(db, today());
      await reseal();
      await database.transaction(async (trx) => {
        await store.lockRing(trx, "encryption_keys");
        const rows = await store.listEncryptionKeys(trx);
        const atWork = rows.find(({ state }) => state === "sealing");
        // A replica that was cut off from the others may have sealed with a former key on the day of the rotation.
        if (!atWork || atWork.created_on >= today()) return;
        const uses = await store.countUses(trx);
        const unused = rows.filter(({ number, state }) => state === "opening" && !uses.has(number));
        for (const { number } of unused) await store.deleteEncryptionKey(trx, number);
      });
      await announce();
    },
    close() {
      for (const timer of timers) clearTimeout(timer); // of either kind
    },
  };
}

async function firstSigningKey(
  db: Kysely<Tables>,
  envelope: Envelope,
  algorithm: Algorithm,
  secret: Secret,
): Promise<SigningKey> {
  if (algorithm === "HS256") return { kid: FIRST_KID, algorithm, secret };
  const { privateKey } = await loadServiceKey(db, envelope, "access-token");
  return { kid: FIRST_KID, algorithm, privateKey };
}

function createSigningKey(kid: string, algorithm: Algorithm): SigningKey {
  return algorithm === "HS256"
    ? { kid, algorithm, secret: createSecret(randomBytes(32).toString("base64")) }
    : { kid, algorithm, privateKey: generateKeyPairSync("ed25519").privateKey };
}

/** The number after the highest, or after 255 of them the lowest that is free. */
function nextNumber(taken: readonly number[]): number | undefined {
  const next = Math.max(...taken) + 1;
  if (next <= NUMBER_MAX) return next;
  return Array.from({ length: NUMBER_MAX }, (_, index) => index + 1).find(
    (number) => !taken.includes(number),
  );
}

function hasEnded(shown: KeyRingsView["signing"], kid: string, today: string): boolean {
  const retiresOn = shown.find((key) => key.kid === kid)?.retires_on;
  return typeof retiresOn === "string" && retiresOn < today;
}
