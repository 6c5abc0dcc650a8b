import { USAGE_HISTORY_TEXT } from "@securewave/contracts";
import { PASSWORD, type TestApp } from "../../testing.ts";
import { type Acts, act } from "./act.ts";

const password = PASSWORD;

/** What people and staff do with the data that is kept of them. */
export function privacyActs(service: TestApp): Acts {
  return {
    "usage.ofAccount": act("account_usage_read", async () => {
      const [{ client }, { id }] = [await service.person("support"), await service.person()];
      return () => client.usage.ofAccount({ params: { id } });
    }),
    "privacy.export": act("data_exported", async () => {
      const { client } = await service.person();
      return () => client.privacy.export({ body: { password } });
    }),
    "privacy.keepHistory": act("consent_given", async () => {
      const { client } = await service.person();
      return () => client.privacy.keepHistory({ body: { text_version: USAGE_HISTORY_TEXT.version } });
    }),
    "privacy.forgetHistory": act("consent_withdrawn", async () => {
      const { client } = await service.person();
      await client.privacy.keepHistory({ body: { text_version: USAGE_HISTORY_TEXT.version } });
      return () => client.privacy.forgetHistory();
    }),
    "privacy.askDeletion": act("deletion_requested", async () => {
      const { client } = await service.person();
      return () => client.privacy.askDeletion({ body: { password } });
    }),
    "privacy.withdrawDeletion": act("deletion_withdrawn", async () => {
      const { client } = await service.person();
      await client.privacy.askDeletion({ body: { password } });
      return () => client.privacy.withdrawDeletion();
    }),
    "privacyDesk.close": act("privacy_request_closed", async () => {
      const [{ client }, one] = [await service.person("support"), await service.person()];
      const { id } = await one.client.privacy.ask({ body: { kind: "other", text: "Who are you?" } });
      return () => client.privacyDesk.close({ params: { id }, body: { state: "done" } });
    }),
    "privacyDesk.erase": act("deletion_requested", async () => {
      const [{ client }, { id }] = [await service.admin(), await service.person()];
      return () => client.privacyDesk.erase({ params: { id }, body: {} });
    }),
    "privacyDesk.keep": act("deletion_withdrawn", async () => {
      const [{ client }, { id }] = [await service.admin(), await service.person()];
      await client.privacyDesk.erase({ params: { id }, body: {} });
      return () => client.privacyDesk.keep({ params: { id } });
    }),
  };
}
