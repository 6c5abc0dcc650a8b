import type { BackupVerification } from "@securewave/contracts";
import { CircleCheck, CircleDashed, CircleX } from "lucide-react";
import { formatMoment } from "../../format.ts";
import { CHECK_WORDS } from "./words.ts";

const LOOKS = {
  passed: { icon: CircleCheck, classes: "text-good", word: "passed" },
  failed: { icon: CircleX, classes: "text-bad", word: "failed" },
  skipped: { icon: CircleDashed, classes: "text-muted", word: "skipped" },
} as const;

/** What a verification looked at, each with a mark that says how it went. */
export function Checks({ verification }: { verification: BackupVerification }) {
  return (
    <div>
      <p className="mb-3 text-muted text-sm">
        Verified {formatMoment(verification.verified_at)}, backup {verification.backup_id}
      </p>
      <ul aria-label="What was checked" className="grid gap-3">
        {verification.checks.map(({ name, outcome, detail }) => {
          const { icon: Icon, classes, word } = LOOKS[outcome];
          return (
            <li key={name} className="flex gap-3">
              <Icon className={`mt-0.5 size-5 shrink-0 ${classes}`} aria-hidden="true" />
              <div className="min-w-0">
                <p className="font-medium">
                  {CHECK_WORDS[name]} <span className="sr-only">({word})</span>
                </p>
                <p className="break-words text-muted text-sm">{detail}</p>
              </div>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
