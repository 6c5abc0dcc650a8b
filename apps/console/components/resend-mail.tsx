import { useState } from "react";
import { client } from "../api.ts";
import { explain } from "../problems.ts";

const PAUSE_MS = 30_000;

/** Sends the confirmation mail once more, and then not again for a while. */
export function ResendMail({ email }: { email: string }) {
  const [message, setMessage] = useState("");
  const [isResting, setResting] = useState(false);

  async function send(): Promise<void> {
    setResting(true);
    setTimeout(() => setResting(false), PAUSE_MS);
    try {
      await client.accounts.requestVerification({ body: { email } });
      setMessage("Sent. It can take a minute to arrive.");
    } catch (error) {
      setMessage(explain(error));
    }
  }

  return (
    <>
      <button
        type="button"
        disabled={isResting}
        className="rounded-sm font-medium text-accent underline underline-offset-3 disabled:text-muted disabled:no-underline"
        onClick={send}
      >
        Send the mail again
      </button>{" "}
      <span role="status">{message}</span>
    </>
  );
}
