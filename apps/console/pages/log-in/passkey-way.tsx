import type { BrowserSession } from "@securewave/contracts";
import { KeyRound } from "lucide-react";
import { useEffect, useEffectEvent, useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ProblemText } from "../../components/problem.tsx";
import { explainPasskey, hasPasskeys, suggestsPasskeys } from "../../passkeys.ts";

interface PasskeyWayProps {
  readonly onOpened: (opened: BrowserSession) => Promise<void>;
}

/** The log-in without a password, where the browser has passkeys: by a button, and among the field's suggestions. */
export function PasskeyWay({ onOpened }: PasskeyWayProps) {
  const [isPending, setPending] = useState(false);
  const [problem, setProblem] = useState<Error>();
  /** Counts the presses of the button: each takes back the offer, which is then made again. */
  const [presses, setPresses] = useState(0);
  const isPossible = hasPasskeys();

  async function attempt(sign: () => Promise<Readonly<Record<string, unknown>>>): Promise<void> {
    try {
      const response = await sign();
      setProblem(undefined);
      await onOpened(await client.session.openWithPasskey({ body: { response } }));
    } catch (error) {
      setProblem(explainPasskey(error));
    }
  }

  async function press(): Promise<void> {
    setPending(true);
    setProblem(undefined);
    await attempt(async () => {
      const { signWithPasskey } = await import("../../passkey-ceremony.ts");
      return signWithPasskey(await client.session.passkeyOptions(), false);
    });
    setPending(false);
    setPresses(presses + 1);
  }

  const offer = useEffectEvent(async (stop: AbortSignal) => {
    // Whatever stands in the way of an offer, nobody asked for it.
    const response = await offeredResponse(stop).catch(() => undefined);
    if (response && !stop.aborted) await attempt(async () => response);
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: each press makes the offer anew
  useEffect(() => {
    const stop = new AbortController();
    void offer(stop.signal);
    return () => stop.abort();
  }, [presses]);

  if (!isPossible) return null;
  return (
    <>
      <p className="my-5 flex items-center gap-3 text-muted text-sm before:h-px before:grow before:bg-line after:h-px after:grow after:bg-line">
        or
      </p>
      <Button icon={KeyRound} isPending={isPending} onClick={press}>
        Log in with a passkey
      </Button>
      <div role="alert" className="text-bad text-sm">
        {problem && (
          <p className="mt-3">
            <ProblemText error={problem} />
          </p>
        )}
      </div>
    </>
  );
}

/** Waits until a passkey is chosen among the suggestions of the field for the mail address; forever, if none is. */
async function offeredResponse(stop: AbortSignal) {
  if (!(await suggestsPasskeys()) || stop.aborted) return undefined;
  const [options, { cancelPasskey, signWithPasskey }] = await Promise.all([
    client.session.passkeyOptions({ signal: stop }),
    import("../../passkey-ceremony.ts"),
  ]);
  if (stop.aborted) return undefined;
  stop.addEventListener("abort", cancelPasskey, { once: true });
  const response = await signWithPasskey(options, true);
  stop.removeEventListener("abort", cancelPasskey);
  return response;
}
