/**
 * Sends a signal to one process.
 *
 * @returns whether the process was there
 */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

/**
 * Sends a signal to a process that leads its own group and to all that it started in it.
 *
 * @returns whether anyone of the group was there
 */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  return signalProcess(-leader, signal);
}
