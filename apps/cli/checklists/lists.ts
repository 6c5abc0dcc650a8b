import { SCENARIOS } from "@securewave/contracts";
import * as look from "./looks.ts";

export interface Item {
  readonly what: string;
  /** Where a machine can look. */
  readonly look?: look.Look;
  /** What a person is to look at, beside that or in its place. */
  readonly byHand?: string;
}

const EVERY_MONTH = ["database-corruption", "backup-verify"] as const;
const EVERY_QUARTER = SCENARIOS.filter((scenario) => !EVERY_MONTH.some((monthly) => monthly === scenario));

/** The operators' checklists: what is looked at how often, by whom. */
export const CHECKLISTS = {
  daily: [
    { what: "The service is healthy", look: look.serviceIsHealthy },
    { what: "The database is well", look: look.healthOf(/database|disk/) },
    { what: "It was up this month", look: look.budgetIsLeft },
    { what: "Errors and response times", look: look.levelsHold(["error_share", "mean_ms", "p95_ms"]) },
    { what: "No alert fires", look: look.nothingFires },
    { what: "The night was quiet", look: look.quietSince(1), byHand: "securewave alerts history says when" },
    { what: "Jobs ran", look: look.jobsAreInTime },
    { what: "Backups were made", look: look.backupsAreFresh },
    { what: "VPN servers serve", look: look.nodesServe },
    { what: "Blocked origins are few", look: look.fewAreBlocked },
    {
      what: "Payments came in",
      byHand: "Look at your payment provider: failed payments are there, and not in this service",
    },
    { what: "People's reports", byHand: "Read the support mailbox and answer what is older than a day" },
    {
      what: "Tomorrow's changes",
      byHand: "Announce maintenance a day ahead: securewave maintenance schedule",
    },
  ],
  weekly: [
    { what: "Processors, memory and disks", look: look.levelsHold(["processor", "memory"]) },
    { what: "Disks", look: look.healthOf(/disk/) },
    { what: "The week was quiet", look: look.quietSince(7), byHand: "securewave alerts history says when" },
    { what: "Nothing was given up", look: look.jobsAreInTime, byHand: "securewave jobs list has the rest" },
    { what: "The database is well", look: look.healthOf(/database/) },
    { what: "Queries are fast", look: look.levelsHold(["query_ms"]) },
    { what: "Requests about data are answered", look: look.requestsAreInTime },
    { what: "Accounts of staff", look: look.accountsOfTheWeek, byHand: "Is each of them still needed?" },
    { what: "Certificates", look: look.healthOf(/certificate/) },
    {
      what: "Security updates",
      byHand: "On each machine: apt-get update, and apt-get upgrade where it lists packages of security",
    },
  ],
  monthly: [
    { what: "A backup was restored and verified", look: look.backupsWereVerified },
    { what: "Recovery of the database was drilled", look: look.drilledWithin(35, EVERY_MONTH) },
    { what: "Everything else was drilled this quarter", look: look.drilledWithin(100, EVERY_QUARTER) },
    { what: "Nothing is kept of who uses the service", look: look.nothingIsKept },
    {
      what: "Service levels",
      look: look.levelsHold(["availability", "error_share", "mean_ms", "p95_ms", "query_ms"]),
    },
    { what: "Certificates", look: look.healthOf(/certificate/) },
    { what: "Room on the VPN servers", look: look.nodesHaveRoom },
    {
      what: "Who may do what",
      byHand: "securewave users list, and your hoster's list of keys: take away what nobody needs",
    },
    { what: "The audit trail is kept elsewhere", byHand: "securewave audit checkpoint, on another machine" },
    { what: "Costs", byHand: "Compare your hoster's bill with the month before" },
    {
      what: "The privacy policy still says what is done",
      byHand: "Read docs/privacy-policy.md against CHANGELOG.md",
    },
    { what: "Runbooks and numbers to call", byHand: "Read docs/runbooks; call one number on the list" },
    { what: "A newer version", byHand: "Read the CHANGELOG of the newest release and plan the update" },
  ],
  incident: [
    { what: "How bad it is", look: look.severity },
    { what: "What is wrong", look: look.serviceIsHealthy },
    {
      what: "Which alerts fire",
      look: look.nothingFires,
      byHand: "docs/runbooks/alerts.md has a section for each",
    },
    { what: "VPN servers serve", look: look.nodesServe },
    { what: "What was changed since yesterday", look: look.staffActedToday },
    { what: "Jobs", look: look.jobsAreInTime },
    { what: "Did somebody get in?", look: look.breachIsOpen, byHand: "If so: docs/runbooks/breach.md" },
    { what: "Can it be restored?", look: look.backupsAreFresh },
    { what: "Customers know", look: look.incidentIsPosted, byHand: "securewave status-page incident open" },
    {
      what: "Mend it, or go back",
      byHand: "docs/runbooks has one for each kind; the release before stays installed",
    },
    { what: "It is over", byHand: "Run this list once more; then securewave status-page incident resolve" },
    {
      what: "What it was",
      byHand: "Write down what happened when, why, and what keeps it from happening again",
    },
  ],
} as const satisfies Readonly<Record<string, readonly Item[]>>;

export type ChecklistName = keyof typeof CHECKLISTS;
export const CHECKLIST_NAMES = Object.keys(CHECKLISTS) as readonly ChecklistName[];
