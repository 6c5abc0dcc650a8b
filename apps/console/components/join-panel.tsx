import { useQuery } from "@tanstack/react-query";
import { CircleCheck, LoaderCircle } from "lucide-react";
import { useEffect, useState } from "react";
import { nodeQuery } from "../queries.ts";
import { CommandBlock } from "./copy.tsx";
import { Notice } from "./state.tsx";

export interface JoinToken {
  readonly command: string;
  /** SHA-256 of the script that the command fetches. */
  readonly checksum: string;
  readonly expires_in: number;
}

/** What the command has in place of something that only the operator knows. */
const ENDPOINT_BLANK = "YOUR_SERVER_NAME";

interface JoinPanelProps {
  readonly nodeId: string;
  readonly join: JoinToken;
  /** A node that joins again was on before; what tells is that it was seen off, or its agent applied something new. */
  readonly isRejoining?: boolean;
}

/** The command that makes a server join, shown once, and whether it did. */
export function JoinPanel({ nodeId, join, isRejoining = false }: JoinPanelProps) {
  const node = useQuery({ ...nodeQuery(nodeId), refetchInterval: 1500 });
  const hasJoined = node.data !== undefined && node.data.joined_on !== null;
  return (
    <div className="grid gap-5">
      <CommandBlock command={join.command} label="Run on the VPN server" />
      {join.command.includes(ENDPOINT_BLANK) && (
        <p className="text-muted text-sm">
          In place of <code className="font-mono text-ink">{ENDPOINT_BLANK}</code> write the host name or
          address at which devices reach that server.
        </p>
      )}
      <Checksum join={join} />
      <Notice tone="warn" title="Shown once">
        The token in it works for one node and one time, and <Expiry seconds={join.expires_in} />. A fresh one
        can be made on the node’s page.
      </Notice>
      {!isRejoining && (
        <p
          role="status"
          className="flex items-center gap-3 rounded-lg border border-line bg-surface p-4 font-medium"
        >
          {hasJoined ? (
            <>
              <CircleCheck className="size-6 animate-appear text-good" aria-hidden="true" />
              {node.data?.name} has joined and is {node.data?.state}.
            </>
          ) : (
            <>
              <LoaderCircle className="size-6 animate-spin text-accent" aria-hidden="true" />
              Waiting for the node to join…
            </>
          )}
        </p>
      )}
    </div>
  );
}

/** For who would rather look at a script before it runs as root. */
function Checksum({ join }: { join: JoinToken }) {
  const script = /https?:\/\/\S+\.sh/.exec(join.command)?.[0];
  return (
    <details>
      <summary className="w-fit rounded-sm font-medium text-accent text-sm">
        Check the script before it runs
      </summary>
      <div className="mt-3 grid gap-3">
        {script !== undefined && (
          <CommandBlock
            command={`curl -fsSLO ${script} && sha256sum node.sh`}
            label="Fetch it, and its checksum"
          />
        )}
        <CommandBlock command={join.checksum} label="It must have this SHA-256" />
      </div>
    </details>
  );
}

function Expiry({ seconds }: { seconds: number }) {
  const [endsAtMs] = useState(() => performance.now() + seconds * 1000);
  const [leftSeconds, setLeftSeconds] = useState(seconds);

  useEffect(() => {
    const timer = setInterval(() => setLeftSeconds(Math.max(0, (endsAtMs - performance.now()) / 1000)), 1000);
    return () => clearInterval(timer);
  }, [endsAtMs]);

  if (leftSeconds === 0) return <>has expired</>;
  const minutes = Math.ceil(leftSeconds / 60);
  return (
    <span className="figures">
      {minutes > 120 ? `ends in ${Math.round(minutes / 60)} hours` : `ends in ${minutes} min`}
    </span>
  );
}
