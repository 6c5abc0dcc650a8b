import { accountErrors, type Deletion, type PrivacyRequest, privacyErrors } from "@securewave/contracts";
import { USAGE_HISTORY_TEXT } from "@securewave/contracts/privacy";
import { createId } from "@securewave/foundation";
import type { Call, Handler } from "./mock-call.ts";

interface MockPrivacyOptions {
  readonly page: <Item>(items: Item[], query: Record<string, string>) => unknown;
}

export const POLICY_VERSION = "2026-11";
const TODAY = "2026-11-21";
const DUE_ON = "2026-11-28";

/** What the mock knows of consents, deletions and requests, by account. */
export function createMockPrivacy({ page }: MockPrivacyOptions) {
  const deletions = new Map<string, Deletion>();
  const historySince = new Map<string, string>();
  const agreedOn = new Map<string, string>();
  const days: { day: string; mebibytes: number }[] = [];
  const requests: PrivacyRequest[] = [];
  const { version: text_version, text } = USAGE_HISTORY_TEXT;

  const idOf = ({ account }: Call) => account?.id ?? "";
  const show = (call: Call) => {
    const [id, agreed_on] = [idOf(call), agreedOn.get(idOf(call)) ?? null];
    const agreed_version = agreed_on === null ? null : POLICY_VERSION;
    const since = historySince.get(id) ?? null;
    return {
      policy: { version: POLICY_VERSION, agreed_version, agreed_on },
      usage_history: { is_on: since !== null, since, text_version, text },
      deletion: deletions.get(id) ?? null,
      deletion_grace_days: 7,
    };
  };
  const ask = (id: string, isAtOnce = false): Deletion => {
    const deletion = { asked_on: TODAY, due_on: isAtOnce ? TODAY : DUE_ON };
    deletions.set(id, deletion);
    return deletion;
  };
  const keep = (id: string) => {
    if (!deletions.delete(id)) throw privacyErrors.noDeletion();
  };

  function addRequest(more: Partial<PrivacyRequest> = {}): PrivacyRequest {
    const request: PrivacyRequest = {
      id: createId("privacyRequest"),
      account_id: null,
      kind: "other",
      state: "open",
      text: null,
      asked_on: TODAY,
      due_on: "2026-12-21",
      closed_on: null,
      ...more,
    };
    requests.push(request);
    requests.sort((one, other) => one.due_on.localeCompare(other.due_on));
    return request;
  }

  const handlers: Record<string, Handler> = {
    "privacy.show": show,
    "privacy.agree": (call) => {
      if (call.body.version !== POLICY_VERSION) throw privacyErrors.textChanged();
      agreedOn.set(idOf(call), TODAY);
      return show(call);
    },
    "privacy.keepHistory": (call) => {
      historySince.set(idOf(call), TODAY);
      return show(call);
    },
    "privacy.forgetHistory": (call) => {
      historySince.delete(idOf(call));
      days.length = 0;
      return show(call);
    },
    "privacy.history": (call) => page(historySince.has(idOf(call)) ? days : [], call.query),
    "privacy.export": (call) => ({ format: "securewave-export", account_id: idOf(call), sections: [] }),
    "privacy.askDeletion": (call) => ask(idOf(call)),
    "privacy.withdrawDeletion": (call) => keep(idOf(call)),
    "privacy.ask": (call) =>
      addRequest({
        account_id: idOf(call),
        kind: call.body.kind as PrivacyRequest["kind"],
        text: typeof call.body.text === "string" ? call.body.text : null,
      }),
    "privacy.ownRequests": (call) =>
      page(
        requests.filter(({ account_id }) => account_id === idOf(call)),
        call.query,
      ),
    "privacyDesk.requests": (call) =>
      page(
        requests.filter(({ state }) => call.query.state === undefined || state === call.query.state),
        call.query,
      ),
    "privacyDesk.close": ({ params, body }) => {
      const request = requests.find(({ id }) => id === params.id);
      if (!request) throw privacyErrors.requestNotFound();
      return Object.assign(request, { state: body.state, closed_on: TODAY });
    },
    "privacyDesk.showDeletion": ({ params }) => ({ deletion: deletions.get(params.id ?? "") ?? null }),
    "privacyDesk.erase": ({ params, body }) => {
      if (!params.id) throw accountErrors.notFound();
      return ask(params.id, body.is_at_once === true);
    },
    "privacyDesk.keep": ({ params }) => keep(params.id ?? ""),
  };
  return { handlers, addRequest, historySince, days, requests, deletions };
}
