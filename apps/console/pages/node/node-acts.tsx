import type { Node } from "@securewave/contracts";
import { useRouter } from "@tanstack/react-router";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { JoinPanel, type JoinToken } from "../../components/join-panel.tsx";
import { NodeFields, nodeOf } from "../../components/node-fields.tsx";
import { Section } from "../../components/page.tsx";
import { notify, notifyError } from "../../components/toast.tsx";
import { formatCount, plural } from "../../format.ts";
import { nodeQuery, queryClient } from "../../queries.ts";

/** What an admin can do with a node. */
export function NodeActs({ node }: { node: Node }) {
  return (
    <>
      {node.quarantined && <Quarantine node={node} />}
      <Drain node={node} />
      <Section title="Details">
        <DetailsForm node={node} />
      </Section>
      <JoinAgain node={node} />
      <Remove node={node} />
    </>
  );
}

function refresh(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["nodes"] });
}

function Quarantine({ node }: { node: Node }) {
  const [isAsked, setAsked] = useState(false);

  async function trust(): Promise<void> {
    await client.nodes.trust({ params: { id: node.id } });
    await refresh();
    notify(`${node.name} is trusted again.`);
  }

  return (
    <Section title="Quarantine" lead="Customers lose nothing by it: their usage is left as it was.">
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <p className="min-w-0 grow basis-72 text-muted">
          It reported figures that cannot be, so what it counts is left out, and it is given no new devices.
          Tunnels on it go on.
        </p>
        <Button onClick={() => setAsked(true)}>Trust again…</Button>
      </div>
      <ConfirmDialog
        isOpen={isAsked}
        title={`Trust ${node.name} again?`}
        confirmLabel="Trust again"
        tone="primary"
        onClose={() => setAsked(false)}
        onConfirm={trust}
      >
        <p>What it counts from here on is added to what customers used. What it reported before is not.</p>
        <p>Look into the machine first: figures like these come from a broken clock, or from an intruder.</p>
      </ConfirmDialog>
    </Section>
  );
}

function Drain({ node }: { node: Node }) {
  const [isPending, setPending] = useState(false);
  const isDraining = node.state === "draining";

  async function change(): Promise<void> {
    setPending(true);
    try {
      await client.nodes.change({ params: { id: node.id }, body: { draining: !isDraining } });
      await refresh();
      notify(isDraining ? `${node.name} takes devices again.` : `${node.name} is draining.`);
    } catch (error) {
      notifyError(error);
    } finally {
      setPending(false);
    }
  }

  return (
    <Section title="New devices" lead="Draining leaves the devices it has alone.">
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <p className="min-w-0 grow basis-72 text-muted">
          {isDraining
            ? `It is given no new devices. ${plural(node.devices, "device")} left on it.`
            : "It takes new devices while it is healthy and has room."}
        </p>
        <Button isPending={isPending} onClick={change}>
          {isDraining ? "Take devices again" : "Drain"}
        </Button>
      </div>
    </Section>
  );
}

function DetailsForm({ node }: { node: Node }) {
  async function save(values: FormValues): Promise<void> {
    await client.nodes.change({ params: { id: node.id }, body: nodeOf(values) });
    await refresh();
    notify("Saved.");
  }

  return (
    <Form onSubmit={save} className="grid max-w-lg gap-5">
      {({ isPending }) => (
        <>
          <NodeFields node={node} />
          <div>
            <Button type="submit" isPending={isPending}>
              Save details
            </Button>
          </div>
        </>
      )}
    </Form>
  );
}

function JoinAgain({ node }: { node: Node }) {
  const [join, setJoin] = useState<JoinToken>();
  const [isAsked, setAsked] = useState(false);
  const isFirst = node.joined_on === null;

  return (
    <Section title="Join" lead="For a server that was set up anew, or a token that ran out.">
      {join ? (
        <JoinPanel nodeId={node.id} join={join} isRejoining={!isFirst} />
      ) : (
        <Button icon={KeyRound} onClick={() => setAsked(true)}>
          Fresh join token…
        </Button>
      )}
      <ConfirmDialog
        isOpen={isAsked}
        title={`A fresh token for ${node.name}?`}
        confirmLabel="Make token"
        tone="primary"
        onClose={() => setAsked(false)}
        onConfirm={async () => setJoin(await client.nodes.renewJoinToken({ params: { id: node.id } }))}
      >
        <p>
          {isFirst
            ? "The token that was made before ends."
            : "Whoever uses it becomes this node: the credential that the server has now ends at that moment."}
        </p>
      </ConfirmDialog>
    </Section>
  );
}

function Remove({ node }: { node: Node }) {
  const router = useRouter();
  const [isAsked, setAsked] = useState(false);

  async function remove(): Promise<void> {
    await client.nodes.remove({ params: { id: node.id } });
    await router.navigate({ to: "/admin/nodes" });
    queryClient.removeQueries(nodeQuery(node.id));
    await refresh();
    notify(`${node.name} is removed.`);
  }

  return (
    <Section title="Remove" lead="Its credential ends, and it can join no more.">
      {node.devices > 0 ? (
        <p className="text-muted">
          {formatCount(node.devices)} {node.devices === 1 ? "device uses" : "devices use"} it. Drain it, and
          remove it when they have moved.
        </p>
      ) : (
        <Button tone="dangerQuiet" onClick={() => setAsked(true)}>
          Remove node…
        </Button>
      )}
      <ConfirmDialog
        isOpen={isAsked}
        title={`Remove ${node.name}?`}
        confirmLabel="Remove"
        onClose={() => setAsked(false)}
        onConfirm={remove}
      >
        <p>
          The server keeps running what it has until it is switched off, but is no longer part of this
          service.
        </p>
      </ConfirmDialog>
    </Section>
  );
}
