import type { Node } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Section } from "../../components/page.tsx";
import { notify, notifyError } from "../../components/toast.tsx";
import { formatDay, plural } from "../../format.ts";
import { refreshNodes } from "./refresh.ts";

export function Drain({ node }: { node: Node }) {
  const [isAsked, setAsked] = useState(false);
  const [isEnding, setEnding] = useState(false);
  const change = (draining: boolean) => client.nodes.change({ params: { id: node.id }, body: { draining } });

  async function begin(): Promise<void> {
    await change(true);
    await refreshNodes();
    notify(`${node.name} is draining.`);
  }

  async function end(): Promise<void> {
    setEnding(true);
    try {
      await change(false);
      await refreshNodes();
      notify(`${node.name} takes devices again.`);
    } catch (error) {
      notifyError(error);
    } finally {
      setEnding(false);
    }
  }

  return (
    <Section title="Maintenance" lead="Draining moves all devices elsewhere, so that nobody misses the node.">
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <p role="status" className="min-w-0 grow basis-72 text-muted">
          {node.draining ? (
            <Progress node={node} />
          ) : (
            "It takes new devices while it is healthy and has room."
          )}
        </p>
        {node.draining ? (
          <Button isPending={isEnding} onClick={end}>
            Take devices again
          </Button>
        ) : (
          <Button onClick={() => setAsked(true)}>Drain…</Button>
        )}
      </div>
      <ConfirmDialog
        isOpen={isAsked}
        title={`Drain ${node.name}?`}
        confirmLabel="Drain"
        tone="primary"
        onClose={() => setAsked(false)}
        onConfirm={begin}
      >
        <ul className="grid list-disc gap-1.5 pl-5">
          <li>It is given no new devices.</li>
          <li>
            {node.devices === 0
              ? "It has no devices that would have to move."
              : `Its ${plural(node.devices, "device")} ${node.devices === 1 ? "is" : "are"} moved to the best other server of the region, or to the nearest one.`}
          </li>
          <li>Their owners are told by mail which devices have a new config.</li>
          <li>Their former configs work here for seven days more: nobody loses a connection.</li>
        </ul>
        <p>Draining can be ended at any time. What was moved by then stays where it is.</p>
      </ConfirmDialog>
    </Section>
  );
}

function Progress({ node }: { node: Node }) {
  if (node.devices > 0)
    return <>It is given no new devices. {plural(node.devices, "device")} left to move.</>;
  if (node.former_places_until === null) return <>It is empty, and can be switched off or removed.</>;
  return (
    <>
      All devices have moved. Their former configs work here until the end of{" "}
      {formatDay(node.former_places_until)}.
    </>
  );
}
