import type { DeadLetter } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { ErrorState, MoreButton } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { notify, notifyError } from "../../components/toast.tsx";
import { formatDay, plural } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { deadLettersQuery, JOBS_KEY } from "./queries.ts";

/** What was given up, to be sent after all or thrown away. */
export function DeadLetters() {
  const list = useInfiniteQuery(deadLettersQuery);
  const letters = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-labelledby="dead-letters">
      <h2 id="dead-letters" className="mb-1 font-semibold">
        Dead letters
      </h2>
      <p className="mb-3 max-w-prose text-muted text-sm">
        What was tried nine times and given up. Mend what the code says first; then{" "}
        <code className="font-mono">securewave jobs retry --all</code> sends all of it again. What nobody
        sends again or discards is deleted after 30 days.
      </p>
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.isSuccess && letters.length === 0 && <p className="text-muted text-sm">There are none.</p>}
      {letters.length > 0 && (
        <Rows label="Dead letters">
          {letters.map((letter) => (
            <DeadLetterRow key={letter.id} letter={letter} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
    </section>
  );
}

function DeadLetterRow({
  letter: { id, job, account_id, failed_on, attempts, code },
}: {
  letter: DeadLetter;
}) {
  const [isAsked, setAsked] = useState(false);
  const [isPending, setPending] = useState(false);

  async function retry(): Promise<void> {
    setPending(true);
    try {
      await client.deadLetters.retry({ params: { id } });
      notify("The letter is queued again.");
    } catch (error) {
      notifyError(error);
    } finally {
      await queryClient.invalidateQueries(JOBS_KEY);
      setPending(false);
    }
  }

  async function discard(): Promise<void> {
    await client.deadLetters.discard({ params: { id } });
    await queryClient.invalidateQueries(JOBS_KEY);
    notify("The letter is thrown away.");
  }

  return (
    <Row
      title={
        <>
          {job}
          {code !== null && <span className="font-mono font-normal text-bad text-sm">{code}</span>}
        </>
      }
      detail={
        <>
          Given up on <time dateTime={failed_on}>{formatDay(failed_on)}</time> after{" "}
          {plural(attempts, "attempt")}
          {account_id !== null && (
            <>
              , for <span className="break-all font-mono text-xs">{account_id}</span>
            </>
          )}
          .
        </>
      }
      actions={
        <>
          <Button size="small" isPending={isPending} onClick={retry} aria-label={`Send again: ${job}, ${id}`}>
            Send again
          </Button>
          <Button size="small" onClick={() => setAsked(true)} aria-label={`Discard: ${job}, ${id}`}>
            Discard
          </Button>
        </>
      }
    >
      <ConfirmDialog
        isOpen={isAsked}
        title="Throw this letter away?"
        confirmLabel="Discard"
        onClose={() => setAsked(false)}
        onConfirm={discard}
      >
        <p>It is never sent. Whom it was for learns nothing of it.</p>
      </ConfirmDialog>
    </Row>
  );
}
