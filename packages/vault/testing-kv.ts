interface Version {
  readonly data: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  deletedAt: string;
  isDestroyed: boolean;
}

interface Entry {
  readonly versions: Version[];
  customMetadata: Readonly<Record<string, string>> | null;
}

/** The KV engine, version 2, of the double. */
export function createTestKv() {
  const entries = new Map<string, Entry>();

  return {
    /** @returns the number of the version */
    put(
      path: string,
      data: Readonly<Record<string, unknown>>,
      customMetadata: Readonly<Record<string, string>> | null = null,
    ): number {
      const entry = entries.get(path) ?? { versions: [], customMetadata };
      entries.set(path, entry);
      entry.customMetadata = customMetadata;
      entry.versions.push({ data, createdAt: nanoseconds(), deletedAt: "", isDestroyed: false });
      return entry.versions.length;
    },

    /** Marks the latest version as deleted, or takes its data away for good. */
    remove(path: string, isDestroyed = false): void {
      const latest = entries.get(path)?.versions.at(-1);
      if (latest) Object.assign(latest, { deletedAt: isDestroyed ? "" : nanoseconds(), isDestroyed });
    },

    /** @param number 0 for the latest */
    read(path: string, number: number): { status: 200 | 404; data: object } | undefined {
      const entry = entries.get(path);
      const version = entry?.versions.at(number === 0 ? -1 : number - 1);
      if (!entry || !version) return undefined;
      const isGone = version.deletedAt !== "" || version.isDestroyed;
      const metadata = {
        created_time: version.createdAt,
        custom_metadata: entry.customMetadata,
        deletion_time: version.deletedAt,
        destroyed: version.isDestroyed,
        version: entry.versions.indexOf(version) + 1,
      };
      return { status: isGone ? 404 : 200, data: { data: isGone ? null : version.data, metadata } };
    },
  };
}

function nanoseconds(): string {
  return new Date().toISOString().replace("Z", "319214Z");
}
