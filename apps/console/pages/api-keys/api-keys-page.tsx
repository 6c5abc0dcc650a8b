import { useInfiniteQuery } from "@tanstack/react-query";
import { KeySquare, Plus } from "lucide-react";
import { useState } from "react";
import { AccountTabs } from "../../components/account-tabs.tsx";
import { ButtonLink } from "../../components/button.tsx";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { Rows } from "../../components/rows.tsx";
import { ApiKeyRow } from "./api-key-row.tsx";
import { KeyText, type ShownKey } from "./key-text.tsx";
import { apiKeysQuery } from "./queries.ts";

export function ApiKeysPage() {
  const list = useInfiniteQuery(apiKeysQuery);
  const keys = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [rotated, setRotated] = useState<ShownKey>();
  const isEmpty = list.isSuccess && keys.length === 0;
  const addButton = (
    <ButtonLink to="/account/api-keys/new" tone="primary" icon={Plus}>
      Make a key
    </ButtonLink>
  );

  return (
    <>
      <PageTitle
        title="API keys"
        lead="With a key, a program does over the API what you allow it, and nothing else."
        actions={isEmpty || rotated ? undefined : addButton}
      />
      <AccountTabs />
      {rotated && (
        <div className="mb-6">
          <KeyText shown={rotated} onDone={() => setRotated(undefined)} />
        </div>
      )}
      {list.isPending && <SkeletonRows label="Loading API keys" count={2} />}
      {list.isError && keys.length === 0 && <ErrorState error={list.error} onRetry={list.refetch} />}
      {isEmpty && (
        <EmptyState icon={KeySquare} title="No API keys" action={addButton}>
          A script that adds devices, a dashboard that counts nodes: give each a key of its own, with no more
          than it needs.
        </EmptyState>
      )}
      {keys.length > 0 && (
        <Rows label="API keys">
          {keys.map((key) => (
            <ApiKeyRow key={key.id} apiKey={key} onRotated={setRotated} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
    </>
  );
}
