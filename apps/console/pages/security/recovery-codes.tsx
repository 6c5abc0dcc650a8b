import { Download, Printer } from "lucide-react";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy.tsx";
import { ShownOnce } from "../../components/shown-once.tsx";
import { download } from "../../download.ts";
import { useAccount } from "../../use-session.ts";

interface RecoveryCodesProps {
  readonly codes: readonly string[];
  readonly onDone: () => void;
}

/** Recovery codes, to be taken along in whatever way one likes. */
export function RecoveryCodes({ codes, onDone }: RecoveryCodesProps) {
  const account = useAccount();
  const whose = `Recovery codes of ${account?.email ?? "your account"}`;
  const use = "Each works once, in place of the code of the app.";
  const text = [whose, location.origin, use, "", ...codes, ""].join("\n");
  return (
    <ShownOnce
      title="Keep these recovery codes"
      level={3}
      warning="If you lose your phone, each of these logs you in once. Keep them where the phone is not."
      keptLabel="I have kept them"
      consequence="The codes are not shown again. Without them and without your phone you cannot log in."
      onDone={onDone}
    >
      <div data-print className="grid gap-3">
        <p className="break-words text-muted text-sm">
          {whose} at {location.origin}. {use}
        </p>
        <ul
          aria-label="Recovery codes"
          className="grid grid-cols-[repeat(auto-fill,minmax(10.5rem,1fr))] gap-2 rounded-md bg-sunken p-4 font-mono"
        >
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ul>
      </div>
      <div className="flex flex-wrap gap-3 max-sm:*:grow">
        <CopyButton text={text} label="Copy" />
        <Button icon={Download} onClick={() => download({ name: "securewave-recovery-codes.txt", text })}>
          Download
        </Button>
        <Button icon={Printer} onClick={() => window.print()}>
          Print
        </Button>
      </div>
    </ShownOnce>
  );
}
