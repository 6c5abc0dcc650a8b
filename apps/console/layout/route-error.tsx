import { ApiError } from "@securewave/contracts";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { Mark } from "../components/brand.tsx";
import { Button } from "../components/button.tsx";
import { explain, isPassing } from "../problems.ts";

const RETRY_MS = 4000;

/** What stands where a page failed. A service that could not be reached is asked again by itself. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const isWaiting = isPassing(error);

  function retry(): void {
    reset();
    void router.invalidate();
  }

  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => void router.invalidate(), RETRY_MS);
    return () => clearInterval(timer);
  }, [isWaiting, router]);

  return (
    <main id="main" className="grid min-h-[70dvh] place-items-center p-6">
      <div role="alert" className="grid max-w-md justify-items-center gap-4 text-center">
        <Mark className="size-10 text-accent" />
        <h1 className="font-semibold text-xl">{isWaiting ? "Waiting for the service" : "This page broke"}</h1>
        <p className="text-muted">
          {error instanceof ApiError
            ? `${explain(error)} This page tries again by itself.`
            : "That is a fault of ours. Loading the page again usually helps."}
        </p>
        <Button tone="primary" onClick={isWaiting ? retry : () => location.reload()}>
          {isWaiting ? "Try now" : "Load again"}
        </Button>
      </div>
    </main>
  );
}
