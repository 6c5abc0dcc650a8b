/** What health looks at: each by the alerts about it that one moment tells, so that a bound stands in one place. */
export interface CheckSpec {
  readonly id: string;
  readonly title: string;
  readonly alerts: readonly string[];
  /** What is said while none of them holds. */
  readonly well: string;
  /** What is said where nothing tells. */
  readonly unknown: string;
  /** Whether visitors, who get no details, are told when it is in trouble. */
  readonly isPublic?: true;
}

export const HEALTH_CHECKS: readonly CheckSpec[] = [
  {
    id: "database",
    title: "Database",
    alerts: ["DatabaseDown", "StoresWriteDown", "DatabaseConnectionsShort", "ReplicationLags"],
    well: "It answers, has connections to spare, and a standby keeps up where there is one.",
    unknown: "Nothing is known of it.",
  },
  {
    id: "redis",
    title: "Redis",
    alerts: ["RedisDown"],
    well: "It answers, or none is set up.",
    unknown: "Nothing is known of it.",
  },
  {
    id: "vpn_servers",
    title: "VPN servers",
    alerts: ["NodeOffline", "NodeSilent", "NodeDegraded", "NodeQuarantined"],
    well: "All that should serve do.",
    unknown: "Nothing is known of them.",
  },
  {
    id: "jobs",
    title: "Jobs",
    alerts: ["JobOverdue", "JobsGivenUp"],
    well: "All ran when they should have, and none was given up.",
    unknown: "This process runs none.",
    isPublic: true,
  },
  {
    id: "backups",
    title: "Backups",
    alerts: [
      "BackupBroken",
      "ArchiveLags",
      "BackupOld",
      "ConfigBackupOld",
      "VpnBackupOld",
      "BackupUnverified",
    ],
    well: "None is late, and none was found damaged.",
    unknown: "None are made here.",
    isPublic: true,
  },
  {
    id: "disk",
    title: "Disk",
    alerts: ["DiskFull", "DiskFilling"],
    well: "There is room below DATA_DIR.",
    unknown: "The system does not tell how much room there is.",
    isPublic: true,
  },
  {
    id: "machine",
    title: "Processors and memory",
    alerts: ["MemoryShort", "ProcessorBusy"],
    well: "Both have room to spare.",
    unknown: "The system does not tell.",
  },
  {
    id: "clock",
    title: "Clock",
    alerts: ["ClockOff"],
    well: "It agrees with the database's, and nobody moved it within the hour.",
    unknown: "The database does not answer, so there is none to compare it with.",
    isPublic: true,
  },
  {
    id: "certificate",
    title: "Certificate",
    alerts: ["CertificateEnding", "CertificateExpiring"],
    well: "It is valid for two weeks and more.",
    unknown: "PUBLIC_URL is not https, or its host cannot be reached from here.",
    isPublic: true,
  },
  {
    id: "zero_log",
    title: "Proof that nothing is kept",
    alerts: ["TracesFound", "ProofOld"],
    well: "No search found traces, and none is late.",
    unknown: "Nothing is known of it.",
  },
];
