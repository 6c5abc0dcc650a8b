import type { Backup, BackupKind, BackupRun } from "@securewave/contracts";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { DatabaseBackup } from "lucide-react";
import { useEffect, useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { StateBadge } from "../../components/state.tsx";
import { notifyError } from "../../components/toast.tsx";
import { formatBytes, formatMoment } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { backupRunQuery, backupStateQuery, backupsQuery } from "./queries.ts";
import { Running } from "./running.tsx";
import { StateParts } from "./state-parts.tsx";
import { KIND_WORDS } from "./words.ts";

const refresh = () => queryClient.invalidateQueries({ queryKey: ["backups"] });

export function BackupsPage() {
  const state = useQuery(backupStateQuery);
  const run = useQuery(backupRunQuery);
  const [isBeginning, setBeginning] = useState(false);
  const isRunning = isBeginning || run.data?.state === "running";
  useEffect(() => {
    if (!isRunning) void refresh(); // what has just ended changed all the rest
  }, [isRunning]);

  /** What is refused, such as a second work beside the first, is said. */
  async function begin(work: Promise<BackupRun>): Promise<void> {
    setBeginning(true);
    try {
      queryClient.setQueryData(backupRunQuery.queryKey, await work);
    } catch (error) {
      notifyError(error);
    } finally {
      setBeginning(false);
    }
  }

  return (
    <>
      <PageTitle
        title="Backups"
        lead="Sealed before they leave the machine, and without any log of use."
        actions={
          <>
            <Button
              tone="primary"
              icon={DatabaseBackup}
              isPending={isRunning}
              onClick={() => void begin(client.backups.start({ body: {} }))}
            >
              Back up now
            </Button>
            <CleanUpButton isRunning={isRunning} />
          </>
        }
      />
      {run.data && <Running run={run.data} />}
      {state.isPending && <SkeletonRows label="Loading backups" />}
      {state.isError && !state.data && <ErrorState error={state.error} onRetry={state.refetch} />}
      {state.data && <StateParts state={state.data} />}
      <AllBackups
        canVerify={state.data?.can_open === true && !isRunning}
        onVerify={(id) => void begin(client.backups.verify({ params: { id } }))}
      />
    </>
  );
}

function CleanUpButton({ isRunning }: { isRunning: boolean }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button disabled={isRunning} onClick={() => setOpen(true)}>
        Clean up…
      </Button>
      <ConfirmDialog
        isOpen={isOpen}
        title="Remove backups whose days are over?"
        confirmLabel="Remove them"
        onClose={() => setOpen(false)}
        onConfirm={async () => {
          queryClient.setQueryData(backupRunQuery.queryKey, await client.backups.cleanUp());
          setOpen(false);
        }}
      >
        <p>
          They are gone for good. What is needed to restore the database to any second of its days stays. The
          service does this every day by itself.
        </p>
      </ConfirmDialog>
    </>
  );
}

interface AllBackupsProps {
  readonly canVerify: boolean;
  readonly onVerify: (id: string) => void;
}

function AllBackups({ canVerify, onVerify }: AllBackupsProps) {
  const [kind, setKind] = useState<BackupKind>();
  const list = useInfiniteQuery(backupsQuery(kind));
  const backups = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section className="border-line border-t pt-7">
      <div className="mb-4 flex flex-wrap items-center justify-between gap-4">
        <h2 className="font-semibold">All backups</h2>
        <label className="flex items-center gap-2 text-sm">
          Kind
          <select
            className="min-h-9 rounded-md border border-line bg-surface px-2"
            value={kind ?? ""}
            onChange={(event) => setKind(KINDS.find((each) => each === event.target.value))}
          >
            <option value="">All</option>
            {KINDS.map((each) => (
              <option key={each} value={each}>
                {KIND_WORDS[each]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {list.isPending && <SkeletonRows label="Loading the list of backups" />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.isSuccess && backups.length === 0 && (
        <EmptyState icon={DatabaseBackup} title="No backup yet">
          The first one is made some minutes after the start of the service, and then every night.
        </EmptyState>
      )}
      {backups.length > 0 && (
        <Rows label="Backups">
          {backups.map((backup) => (
            <BackupRow key={backup.id} backup={backup} canVerify={canVerify} onVerify={onVerify} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
    </section>
  );
}

const KINDS = ["database", "config", "vpn"] as const satisfies readonly BackupKind[];

function BackupRow({ backup, canVerify, onVerify }: { backup: Backup } & AllBackupsProps) {
  const { id, kind, taken_at, bytes, version, verification } = backup;
  return (
    <Row
      title={
        <>
          {KIND_WORDS[kind]}, {formatMoment(taken_at)}
          {verification && (
            <StateBadge tone={verification.outcome === "passed" ? "good" : "bad"}>
              {verification.outcome === "passed" ? "Verified" : "Damaged"}
            </StateBadge>
          )}
        </>
      }
      detail={
        <>
          <span className="figures">{formatBytes(bytes)}</span>, version {version},{" "}
          <span className="break-all font-mono text-xs">{id}</span>
        </>
      }
      actions={
        <Button size="small" disabled={!canVerify} onClick={() => onVerify(id)} aria-label={`Verify ${id}`}>
          Verify
        </Button>
      }
    />
  );
}
