import type { BackupEvent } from "../order.ts";

/** How the parts of the work tell what they do. */
export interface Said {
  emit(event: BackupEvent): Promise<void>;
  /** Of one thing; the others go on. */
  failed(what: string, error: unknown): Promise<void>;
  readonly signal: AbortSignal;
}
