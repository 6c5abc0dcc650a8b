import type { Device } from "@securewave/contracts";
import { KeyRound } from "lucide-react";
import { useId, useState } from "react";
import type { KeyWish } from "../own-keys.ts";
import type { FormValues } from "./form.tsx";

/** What `KeyChoice` says in a form. */
export function keyWishOf(values: FormValues): KeyWish {
  const madeBy = values.text("keys") === "server" ? "server" : "page";
  return { madeBy, isAgreed: madeBy === "page" && values.ticked("agreed").length > 0 };
}

interface KeyChoiceProps {
  readonly initial: Device["key_origin"];
  /** The device agrees its preshared keys: it keeps doing so, which needs a key that the page makes. */
  readonly mustAgree?: boolean;
}

/** Who makes the keys, and what of them is agreed. */
export function KeyChoice({ initial, mustAgree = false }: KeyChoiceProps) {
  const [origin, setOrigin] = useState(initial);
  return (
    <div className="rounded-lg bg-accent-soft p-4">
      <p className="flex gap-3 text-sm">
        <KeyRound className="mt-0.5 size-4.5 shrink-0 text-accent" aria-hidden="true" />
        {origin === "customer" ? (
          <span>
            <strong className="font-semibold">This page makes the keys.</strong> The service is told the
            public one only, so nobody but you can read or impersonate this tunnel.
          </span>
        ) : (
          <span>
            <strong className="font-semibold">The server makes the keys.</strong> The service keeps the
            private one, encrypted, and you trust the operator with it.
          </span>
        )}
      </p>
      {mustAgree ? (
        <p className="mt-2 ml-7.5 text-sm">
          <input type="hidden" name="agreed" value="yes" />
          Its preshared key is agreed anew by ML-KEM-1024, as the present one was.
        </p>
      ) : (
        <>
          {origin === "customer" && <AgreedChoice />}
          <OtherWays origin={origin} onOrigin={setOrigin} isOpen={initial === "server"} />
        </>
      )}
    </div>
  );
}

interface OtherWaysProps {
  readonly origin: Device["key_origin"];
  readonly onOrigin: (origin: Device["key_origin"]) => void;
  readonly isOpen: boolean;
}

function OtherWays({ origin, onOrigin, isOpen }: OtherWaysProps) {
  const radio = (value: KeyWish["madeBy"], of: Device["key_origin"]) => ({
    type: "radio",
    name: "keys",
    value,
    checked: origin === of,
    onChange: () => onOrigin(of),
    className: "mt-0.5 size-4 shrink-0",
  });
  return (
    <details className="mt-3 ml-7.5 text-sm" open={isOpen}>
      <summary className="rounded-sm py-1 font-medium text-accent">Other ways</summary>
      <fieldset className="mt-2 grid gap-3">
        <legend className="sr-only">Who makes the keys</legend>
        <label className="flex gap-3">
          <input {...radio("page", "customer")} />
          <span>
            <span className="block font-medium">This page makes the keys</span>
            <span className="text-muted">You save the config once; it cannot be shown again.</span>
          </span>
        </label>
        <label className="flex gap-3">
          <input {...radio("server", "server")} />
          <span>
            <span className="block font-medium">Let the server make the keys</span>
            <span className="text-muted">
              The service keeps the private key, encrypted. You can get the config again at any time, and you
              trust the operator with it.
            </span>
          </span>
        </label>
      </fieldset>
    </details>
  );
}

function AgreedChoice() {
  const id = useId();
  return (
    <div className="mt-3 ml-7.5 text-sm">
      <label className="flex gap-3">
        <input
          type="checkbox"
          name="agreed"
          value="yes"
          aria-describedby={id}
          className="mt-0.5 size-4 shrink-0"
        />
        <span className="font-medium">Preshared key safe from quantum computers</span>
      </label>
      <p id={id} className="mt-1 ml-7 text-muted">
        Agreed by{" "}
        <a
          href="https://csrc.nist.gov/pubs/fips/203/final"
          target="_blank"
          rel="noreferrer"
          className="font-medium text-accent underline underline-offset-3"
        >
          ML-KEM-1024
          <span className="sr-only"> (opens in a new tab)</span>
        </a>
        , so that traffic recorded today stays unreadable to a quantum computer of tomorrow.
      </p>
    </div>
  );
}
