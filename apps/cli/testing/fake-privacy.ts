import { type Deletion, type PrivacyRequest, privacyErrors, sessionErrors } from "@securewave/contracts";
import { USAGE_HISTORY_TEXT } from "@securewave/contracts/privacy";
import { createId } from "@securewave/foundation";
import type { Input } from "./fake-input.ts";

export interface FakePrivacy {
  readonly deletions: Map<string, Deletion>;
  readonly historySince: Map<string, string>;
  readonly requests: PrivacyRequest[];
}

const TODAY = "2026-11-20";
const DUE_ON = "2026-11-27";

export function createFakePrivacy(): FakePrivacy {
  return { deletions: new Map(), historySince: new Map(), requests: [] };
}

export function fakeRequest(more: Partial<PrivacyRequest>): PrivacyRequest {
  return {
    id: createId("privacyRequest"),
    account_id: null,
    kind: "other",
    state: "open",
    text: null,
    asked_on: TODAY,
    due_on: "2026-12-20",
    closed_on: null,
    ...more,
  };
}

export function privacyHandlers(
  { deletions, historySince, requests }: FakePrivacy,
  ownerOf: (token: string) => string,
  password: string,
) {
  const { version: text_version, text } = USAGE_HISTORY_TEXT;
  const show = ({ token }: Input) => {
    const since = historySince.get(ownerOf(token)) ?? null;
    return {
      policy: { version: "2", agreed_version: "1", agreed_on: TODAY },
      usage_history: { is_on: since !== null, since, text_version, text },
      deletion: deletions.get(ownerOf(token)) ?? null,
      deletion_grace_days: 7,
    };
  };
  const demandProof = ({ body }: Input) => {
    if (body.password !== password) throw sessionErrors.wrongCredentials();
  };
  const erase = (id: string, isAtOnce = false) => {
    const deletion = { asked_on: TODAY, due_on: isAtOnce ? TODAY : DUE_ON };
    deletions.set(id, deletion);
    return deletion;
  };
  const keep = (id: string) => {
    if (!deletions.delete(id)) throw privacyErrors.noDeletion();
    return null;
  };
  const list = (found: readonly PrivacyRequest[]) => ({ items: found, next_cursor: null });

  return {
    "privacy.show": show,
    "privacy.keepHistory": (input: Input) => {
      if (input.body.text_version !== text_version) throw privacyErrors.textChanged();
      historySince.set(ownerOf(input.token), TODAY);
      return show(input);
    },
    "privacy.forgetHistory": (input: Input) => {
      historySince.delete(ownerOf(input.token));
      return show(input);
    },
    "privacy.export": (input: Input) => {
      demandProof(input);
      return { format: "securewave-export", account_id: ownerOf(input.token), sections: [] };
    },
    "privacy.askDeletion": (input: Input) => {
      demandProof(input);
      return erase(ownerOf(input.token));
    },
    "privacy.withdrawDeletion": ({ token }: Input) => keep(ownerOf(token)),
    "privacy.ask": ({ token, body }: Input) => {
      const words = typeof body.text === "string" ? body.text : null;
      const kind = body.kind as PrivacyRequest["kind"];
      const request = fakeRequest({ account_id: ownerOf(token), kind, text: words });
      requests.push(request);
      return request;
    },
    "privacy.ownRequests": ({ token }: Input) =>
      list(requests.filter(({ account_id }) => account_id === ownerOf(token))),
    "privacyDesk.requests": ({ query }: Input) =>
      list(requests.filter(({ state }) => query.state === undefined || state === query.state)),
    "privacyDesk.close": ({ params, body }: Input) => {
      const request = requests.find(({ id }) => id === params.id);
      if (!request) throw privacyErrors.requestNotFound();
      if (request.state !== "open") throw privacyErrors.requestClosed();
      return Object.assign(request, { state: body.state, closed_on: TODAY });
    },
    "privacyDesk.erase": ({ params, body }: Input) => erase(String(params.id), body.is_at_once === true),
    "privacyDesk.keep": ({ params }: Input) => keep(String(params.id)),
  };
}
