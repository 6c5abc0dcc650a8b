import { type RunningProcess, startProcess } from "@securewave/testing";

const INTERVAL_MS = 50;

export interface Pings {
  /** When the latest answer came, in milliseconds since 1970; 0 before the first. */
  lastAnswerAt(): number;
  /** Answers that came since an instant. */
  answersSince(sinceMs: number): number;
  /** Pings sent after the first and before the last answer since an instant that nothing answered. */
  lostSince(sinceMs: number): number;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Answer {
  readonly atMs: number;
  readonly number: number;
}

/** Pings an address every 50 ms from inside a namespace, until stopped. */
export async function startPings(namespace: string, address: string): Promise<Pings> {
  const program = await startProcess({
    command: "ping",
    args: ["-n", "-D", "-i", String(INTERVAL_MS / 1000), "-W", "1", address],
    namespace,
    readyWhen: /^PING /,
  });
  const stop = async () => void (await program.stop());
  return {
    lastAnswerAt: () => answersOf(program).at(-1)?.atMs ?? 0,
    answersSince: (sinceMs) => since(program, sinceMs).length,
    lostSince(sinceMs) {
      const answers = since(program, sinceMs);
      const [first, last] = [answers[0]?.number ?? 0, answers.at(-1)?.number ?? 0];
      const numbers = new Set(answers.map(({ number }) => number));
      return answers.length === 0 ? 0 : last - first + 1 - numbers.size;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function since(program: RunningProcess, sinceMs: number): Answer[] {
  return answersOf(program).filter(({ atMs }) => atMs >= sinceMs);
}

/** `ping -D` writes `[1700000000.123456] 64 bytes from …: icmp_seq=12 ttl=62 time=0.6 ms`. */
function answersOf(program: RunningProcess): Answer[] {
  return program.lines().flatMap((line) => {
    const [, seconds, number] = /^\[(\d+\.\d+)\] \d+ bytes from .*icmp_seq=(\d+) /.exec(line) ?? [];
    return seconds === undefined ? [] : [{ atMs: Number(seconds) * 1000, number: Number(number) }];
  });
}
