import { useQuery } from "@tanstack/react-query";
import { Fingerprint } from "lucide-react";
import { CopyButton } from "../../components/copy.tsx";
import { Card, ErrorState, SkeletonRows } from "../../components/page.tsx";
import { plural } from "../../format.ts";
import { checkpointQuery } from "./queries.ts";

/** What one keeps elsewhere, so that nobody can write the trail anew unseen. */
export function CheckpointPanel() {
  const checkpoint = useQuery(checkpointQuery);
  return (
    <section aria-labelledby="checkpoint" className="mb-7">
      {checkpoint.isPending && <SkeletonRows label="Loading the checkpoint" count={1} />}
      {checkpoint.isError && !checkpoint.data && (
        <ErrorState error={checkpoint.error} onRetry={checkpoint.refetch} />
      )}
      {checkpoint.data && (
        <Card className="grid gap-4 p-5 sm:p-6">
          <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
            <div className="flex min-w-0 grow basis-72 gap-3.5">
              <Fingerprint className="mt-0.5 size-6 shrink-0 text-accent" aria-hidden="true" />
              <div>
                <h2 id="checkpoint" className="font-semibold">
                  Signed checkpoint over {plural(checkpoint.data.size, "entry", "entries")}
                </h2>
                <p className="text-muted text-sm">
                  Keep the key and now and then a checkpoint where nobody of the service can reach them. With
                  them, <code className="font-mono text-ink">securewave audit verify</code> tells of an export
                  whether anything is missing or changed, and where.
                </p>
              </div>
            </div>
            <div className="flex flex-wrap gap-3 max-sm:w-full max-sm:*:grow">
              <CopyButton text={checkpoint.data.verifier_key} label="Copy key" size="small" />
              <CopyButton text={checkpoint.data.note} label="Copy checkpoint" size="small" />
            </div>
          </div>
          <dl className="grid gap-1 text-sm">
            <dt className="text-muted text-xs">Verifier key</dt>
            <dd className="break-all font-mono text-xs">{checkpoint.data.verifier_key}</dd>
          </dl>
          <details className="text-sm">
            <summary className="w-fit rounded-sm font-medium text-accent">Show the checkpoint</summary>
            <pre className="mt-3 whitespace-pre-wrap break-all rounded-md bg-sunken p-4 font-mono text-xs">
              <code>{checkpoint.data.note}</code>
            </pre>
          </details>
        </Card>
      )}
    </section>
  );
}
