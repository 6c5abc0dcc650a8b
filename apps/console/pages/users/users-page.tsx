import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus, SearchX, Users } from "lucide-react";
import { useCallback, useState } from "react";
import { Button } from "../../components/button.tsx";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { SearchField } from "../../components/search.tsx";
import { accountsQuery } from "../../queries.ts";
import { useIsAdmin } from "../../use-session.ts";
import { NewUserDialog } from "./new-user-dialog.tsx";
import { UserRow } from "./user-row.tsx";

const route = getRouteApi("/account/staff/admin/users");

export function UsersPage() {
  const { search = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const isAdmin = useIsAdmin();
  const list = useInfiniteQuery(accountsQuery(search));
  const accounts = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [isAdding, setAdding] = useState(false);
  const onSearch = useCallback(
    (text: string) => void navigate({ search: text === "" ? {} : { search: text }, replace: true }),
    [navigate],
  );

  return (
    <>
      <PageTitle
        title="Users"
        lead="Accounts by mail address. What they do in their tunnels is not known here."
        actions={
          isAdmin ? (
            <Button tone="primary" icon={Plus} onClick={() => setAdding(true)}>
              Add user
            </Button>
          ) : undefined
        }
      />
      <div className="mb-4">
        <SearchField label="Whole mail address or id" value={search} onSearch={onSearch} />
      </div>
      {list.isPending && <SkeletonRows label="Loading users" />}
      {list.isError && accounts.length === 0 && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.isSuccess && accounts.length === 0 && (
        <EmptyState
          icon={search === "" ? Users : SearchX}
          title={search === "" ? "No users yet" : "No such user"}
        >
          {search === "" ? "They appear here when they sign up." : `Nothing matches “${search}”.`}
        </EmptyState>
      )}
      {accounts.length > 0 && (
        <ul className="overflow-hidden rounded-lg border border-line bg-surface shadow-card">
          {accounts.map((account) => (
            <UserRow key={account.id} account={account} isEditable={isAdmin} />
          ))}
        </ul>
      )}
      <MoreButton list={list} />
      <NewUserDialog isOpen={isAdding} onClose={() => setAdding(false)} />
    </>
  );
}
