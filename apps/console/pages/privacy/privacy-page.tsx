import type { PrivacyState } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { AccountTabs } from "../../components/account-tabs.tsx";
import { ErrorState, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { DeletionSection } from "./deletion-section.tsx";
import { ExportSection } from "./export-section.tsx";
import { HistorySection } from "./history-section.tsx";
import { OwnRequestsSection } from "./own-requests-section.tsx";
import { PolicySection } from "./policy-section.tsx";
import { privacyQuery } from "./queries.ts";

export function PrivacyPage() {
  const state = useQuery(privacyQuery);
  return (
    <>
      <PageTitle title="Privacy" />
      <AccountTabs />
      {state.isPending && <SkeletonRows label="Loading your privacy settings" count={3} />}
      {state.isError && !state.data && <ErrorState error={state.error} onRetry={state.refetch} />}
      {state.data && <Sections state={state.data} />}
    </>
  );
}

function Sections({ state }: { readonly state: PrivacyState }) {
  return (
    <div>
      <PolicySection policy={state.policy} />
      <HistorySection history={state.usage_history} />
      <ExportSection />
      <OwnRequestsSection />
      <DeletionSection deletion={state.deletion} graceDays={state.deletion_grace_days} />
    </div>
  );
}
