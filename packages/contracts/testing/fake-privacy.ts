import { createId } from "@securewave/foundation";
import {
  type Deletion,
  type PrivacyRequest,
  privacyErrors,
  USAGE_HISTORY_TEXT,
  type UsageDay,
} from "../privacy.ts";
import { type FakeCall, pageOf } from "./fake-call.ts";

export const FAKE_POLICY_VERSION = "2";
const TODAY = "2026-11-20";
const DUE_ON = "2026-11-27";

export interface FakePrivacy {
  /** By account, as are the other maps: the version that was agreed to. */
  readonly agreed: Map<string, string>;
  readonly deletions: Map<string, Deletion>;
  readonly historySince: Map<string, string>;
  /** What everybody used, each, the newest day first. */
  readonly days: UsageDay[];
  readonly requests: PrivacyRequest[];
  readonly addRequest: (fields: Partial<PrivacyRequest>) => PrivacyRequest;
}

/** Consents, deletions and requests of a service: none at first. */
export function createFakePrivacy(): FakePrivacy {
  const requests: PrivacyRequest[] = [];
  return {
    agreed: new Map(),
    deletions: new Map(),
    historySince: new Map(),
    days: [],
    requests,
    addRequest(fields) {
      const request: PrivacyRequest = {
        id: createId("privacyRequest"),
        account_id: null,
        kind: "other",
        state: "open",
        text: null,
        asked_on: TODAY,
        due_on: "2026-12-20",
        closed_on: null,
        ...fields,
      };
      requests.push(request);
      return request;
    },
  };
}

/** @param demandProof refuses who gives a wrong password or code */
export function privacyHandlers<Call extends FakeCall>(
  { agreed, deletions, historySince, days, requests, addRequest }: FakePrivacy,
  demandProof: (call: Call) => void,
) {
  const { version: text_version, text } = USAGE_HISTORY_TEXT;
  const show = ({ accountId }: Call) => {
    const since = historySince.get(accountId) ?? null;
    const agreed_version = agreed.get(accountId) ?? null;
    const agreed_on = agreed_version === null ? null : TODAY;
    return {
      policy: { version: FAKE_POLICY_VERSION, agreed_version, agreed_on },
      usage_history: { is_on: since !== null, since, text_version, text },
      deletion: deletions.get(accountId) ?? null,
      deletion_grace_days: 7,
    };
  };
  const erase = (id: string, isAtOnce = false): Deletion => {
    const deletion = { asked_on: TODAY, due_on: isAtOnce ? TODAY : DUE_ON };
    deletions.set(id, deletion);
    return deletion;
  };
  const keep = (id: string) => {
    if (!deletions.delete(id)) throw privacyErrors.noDeletion();
    return null;
  };
  const list = (query: Call["query"], isWanted: (request: PrivacyRequest) => boolean) =>
    pageOf(
      requests.filter(isWanted).toSorted((one, other) => one.due_on.localeCompare(other.due_on)),
      query,
    );

  return {
    "privacy.show": show,
    "privacy.agree": (call: Call) => {
      if (call.body.version !== FAKE_POLICY_VERSION) throw privacyErrors.textChanged();
      agreed.set(call.accountId, FAKE_POLICY_VERSION);
      return show(call);
    },
    "privacy.keepHistory": (call: Call) => {
      if (call.body.text_version !== text_version) throw privacyErrors.textChanged();
      historySince.set(call.accountId, TODAY);
      return show(call);
    },
    "privacy.forgetHistory": (call: Call) => {
      historySince.delete(call.accountId);
      days.length = 0;
      return show(call);
    },
    "privacy.history": ({ accountId, query }: Call) => pageOf(historySince.has(accountId) ? days : [], query),
    "privacy.export": (call: Call) => {
      demandProof(call);
      return { format: "securewave-export", account_id: call.accountId, sections: [] };
    },
    "privacy.askDeletion": (call: Call) => {
      demandProof(call);
      return erase(call.accountId);
    },
    "privacy.withdrawDeletion": ({ accountId }: Call) => keep(accountId),
    "privacy.ask": ({ accountId, body }: Call) =>
      addRequest({
        account_id: accountId,
        kind: body.kind as PrivacyRequest["kind"],
        text: typeof body.text === "string" ? body.text : null,
      }),
    "privacy.ownRequests": ({ accountId, query }: Call) =>
      list(query, ({ account_id }) => account_id === accountId),
    "privacyDesk.requests": ({ query }: Call) =>
      list(query, ({ state }) => query.state === undefined || state === query.state),
    "privacyDesk.close": ({ params, body }: Call) => {
      const request = requests.find(({ id }) => id === params.id);
      if (!request) throw privacyErrors.requestNotFound();
      if (request.state !== "open") throw privacyErrors.requestClosed();
      return Object.assign(request, { state: body.state, closed_on: TODAY });
    },
    "privacyDesk.showDeletion": ({ params }: Call) => ({
      deletion: deletions.get(String(params.id)) ?? null,
    }),
    "privacyDesk.erase": ({ params, body }: Call) => erase(String(params.id), body.is_at_once === true),
    "privacyDesk.keep": ({ params }: Call) => keep(String(params.id)),
  };
}
