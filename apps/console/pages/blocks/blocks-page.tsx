import type { Block } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { NumberField, TextField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { notify } from "../../components/toast.tsx";
import { formatSpan } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { useNow } from "../../use-now.ts";
import { blocksQuery } from "./queries.ts";

const REASONS = {
  violations: "Too many refused requests",
  failed_log_ins: "Too many failed log-ins",
  staff: "Blocked by staff",
} as const satisfies Record<Block["reason"], string>;

/** A week. */
const MINUTES_MAX = 10_080;
const MINUTES_INITIAL = 60;

export function BlocksPage() {
  const list = useInfiniteQuery(blocksQuery);
  const nowMs = useNow(1000);
  const blocks = (list.data?.pages.flatMap((page) => page.items) ?? []).filter(
    ({ until }) => Date.parse(until) > nowMs,
  );
  const [isAdding, setAdding] = useState(false);

  return (
    <>
      <PageTitle
        title="Blocks"
        lead="Origins that are let in no more for a while. They are kept in memory only, under a pseudonym of the day."
        actions={
          <Button tone="primary" icon={Plus} onClick={() => setAdding(true)}>
            Block a network
          </Button>
        }
      />
      {list.isPending && <SkeletonRows label="Loading blocks" />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.isSuccess && blocks.length === 0 && (
        <EmptyState icon={ShieldCheck} title="Nobody is blocked">
          Who is refused too often appears here, and is let in again by itself.
        </EmptyState>
      )}
      {blocks.length > 0 && (
        <Rows label="Blocks">
          {blocks.map((block) => (
            <BlockRow key={block.id} block={block} nowMs={nowMs} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
      <AddDialog isOpen={isAdding} onClose={() => setAdding(false)} />
    </>
  );
}

function BlockRow({ block, nowMs }: { block: Block; nowMs: number }) {
  const [isAsked, setAsked] = useState(false);
  // The instant is up to a second old.
  const leftSeconds = Math.floor((Date.parse(block.until) - nowMs) / 1000);

  async function lift(): Promise<void> {
    await client.blocks.lift({ params: { id: block.id } });
    await queryClient.invalidateQueries(blocksQuery);
    notify("The block is lifted.");
  }

  return (
    <Row
      title={
        <>
          <span className="break-all font-mono text-sm">{block.origin}</span>
          <span className="font-normal text-muted text-sm">
            {block.kind === "network" ? "Network" : "Origin of the day"}
          </span>
        </>
      }
      detail={
        <>
          {REASONS[block.reason]}.{" "}
          <span className="figures">
            Ends in <time dateTime={block.until}>{formatSpan(leftSeconds)}</time>.
          </span>
        </>
      }
      actions={
        <Button size="small" onClick={() => setAsked(true)} aria-label={`Lift the block of ${block.origin}`}>
          Lift
        </Button>
      }
    >
      <ConfirmDialog
        isOpen={isAsked}
        title="Lift this block?"
        confirmLabel="Lift"
        tone="primary"
        onClose={() => setAsked(false)}
        onConfirm={lift}
      >
        <p>
          <span className="break-all font-mono text-ink text-sm">{block.origin}</span> is let in again at
          once.
        </p>
      </ConfirmDialog>
    </Row>
  );
}

function AddDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  async function add(values: FormValues): Promise<void> {
    const block = await client.blocks.add({
      body: { network: values.text("network"), minutes: Number(values.text("minutes")) },
    });
    await queryClient.invalidateQueries(blocksQuery);
    notify(`${block.origin} is blocked.`);
  }

  return (
    <FormDialog
      isOpen={isOpen}
      title="Block a network"
      lead={<p>Everybody behind it is refused until the block ends: think of offices and mobile networks.</p>}
      submitLabel="Block"
      tone="danger"
      onClose={onClose}
      onSubmit={add}
    >
      <TextField
        name="network"
        label="Address or network"
        placeholder="203.0.113.0/24"
        hint="Such as 203.0.113.7 or 2001:db8::/48."
        minLength={2}
        maxLength={50}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        className="font-mono"
        missing="Enter an address or a network."
        required
      />
      <NumberField
        name="minutes"
        label="Minutes"
        min={1}
        max={MINUTES_MAX}
        defaultValue={MINUTES_INITIAL}
        hint="Up to 10,080: seven days."
      />
    </FormDialog>
  );
}
