import { CloudOff } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { client, reachability } from "../api.ts";
import { queryClient } from "../queries.ts";

const RETRY_MS = 3000;

/** Stands on top while the API cannot be reached, and asks for it until it can. */
export function OfflineBanner() {
  const isReachable = useSyncExternalStore(reachability.subscribe, reachability.isReachable);

  useEffect(() => {
    if (isReachable) return;
    const timer = setInterval(() => client.service.live().catch(() => undefined), RETRY_MS);
    return () => {
      clearInterval(timer);
      void queryClient.invalidateQueries();
    };
  }, [isReachable]);

  return (
    <div role="status" className="sticky top-0 z-10">
      {!isReachable && (
        <p className="flex items-center justify-center gap-2.5 bg-warn-soft px-4 py-2 text-center font-medium text-sm text-warn">
          <CloudOff className="size-4 shrink-0" aria-hidden="true" />
          The service cannot be reached. Tunnels keep running; this page tries again by itself.
        </p>
      )}
    </div>
  );
}
