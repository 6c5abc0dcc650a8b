import type { PrivacyRequest } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Inbox } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { RequestRow } from "../../components/request-row.tsx";
import { Rows } from "../../components/rows.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { STATE_NAMES } from "./kinds.ts";
import { requestsQuery } from "./queries.ts";

type State = PrivacyRequest["state"];
type Outcome = Exclude<State, "open">;

const OUTCOMES = { done: "Mark as done", refused: "Refuse" } as const satisfies Record<Outcome, string>;

export function PrivacyRequestsPage() {
  const [state, setState] = useState<State>("open");
  const list = useInfiniteQuery(requestsQuery(state));
  const requests = list.data?.pages.flatMap((page) => page.items) ?? [];

  return (
    <>
      <PageTitle
        title="Privacy requests"
        lead="What people asked for about their data. Each has to be answered within a month."
      />
      <fieldset className="mb-5 flex flex-wrap gap-2">
        <legend className="sr-only">Which requests</legend>
        {(["open", "done", "refused"] as const).map((each) => (
          <Button
            key={each}
            size="small"
            tone={each === state ? "primary" : "secondary"}
            aria-pressed={each === state}
            onClick={() => setState(each)}
          >
            {STATE_NAMES[each]}
          </Button>
        ))}
      </fieldset>
      {list.isPending && <SkeletonRows label="Loading requests" />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.isSuccess && requests.length === 0 && (
        <EmptyState icon={Inbox} title={state === "open" ? "Nothing is open" : "None"}>
          {state === "open" ? "What people ask for on their privacy page appears here." : "No such requests."}
        </EmptyState>
      )}
      {requests.length > 0 && (
        <Rows label="Privacy requests">
          {requests.map((request) => (
            <ReceivedRequest key={request.id} request={request} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
    </>
  );
}

function ReceivedRequest({ request }: { readonly request: PrivacyRequest }) {
  const [outcome, setOutcome] = useState<Outcome>();
  const { id, account_id, state, asked_on, due_on, closed_on } = request;

  async function close(): Promise<void> {
    if (!outcome) return;
    await client.privacyDesk.close({ params: { id }, body: { state: outcome } });
    await queryClient.invalidateQueries({ queryKey: ["privacy-requests"] });
    notify(outcome === "done" ? "The request is done." : "The request is refused.");
  }

  return (
    <RequestRow
      request={request}
      facts={
        <>
          <p>
            {account_id === null ? (
              "The account is erased."
            ) : (
              <Link
                to="/admin/users"
                search={{ search: account_id }}
                className="break-all font-mono text-accent text-xs underline underline-offset-3"
              >
                {account_id}
              </Link>
            )}
          </p>
          <p>
            Asked on {formatDay(asked_on)}, due on <time dateTime={due_on}>{formatDay(due_on)}</time>
            {closed_on !== null && `, closed on ${formatDay(closed_on)}`}.
          </p>
        </>
      }
      actions={
        state === "open" && (
          <>
            <Button size="small" tone="dangerQuiet" onClick={() => setOutcome("refused")}>
              Refuse…
            </Button>
            <Button size="small" onClick={() => setOutcome("done")}>
              Done…
            </Button>
          </>
        )
      }
    >
      <ConfirmDialog
        isOpen={outcome !== undefined}
        title={outcome === "refused" ? "Refuse this request?" : "Is this request done?"}
        confirmLabel={OUTCOMES[outcome ?? "done"]}
        tone={outcome === "refused" ? "danger" : "primary"}
        onClose={() => setOutcome(undefined)}
        onConfirm={close}
      >
        <p>
          {outcome === "refused"
            ? "Tell whoever asked why, and that they can complain to a supervisory authority: the law demands both."
            : "Whoever asked sees it on their privacy page. What you answer goes by mail."}
        </p>
      </ConfirmDialog>
    </RequestRow>
  );
}
