/** What the protocol takes of a problem. */
const PROBLEM_CHARACTERS_MAX = 300;

/** What is wrong with the node, which the control plane is told when it is something else than it knows of. */
export interface Condition {
  /** Null when nothing is. */
  present(): string | null;
  tell(): void;
  /** Another control plane listens, which knows of nothing. */
  forget(): void;
}

/**
 * @param find the worst that is wrong
 * @param send says whether somebody listened
 */
export function createCondition(
  find: () => string | null,
  send: (problem: string | null) => boolean,
): Condition {
  let told: string | null | undefined;
  const present = () => find()?.slice(0, PROBLEM_CHARACTERS_MAX) ?? null;
  return {
    present,
    tell() {
      const problem = present();
      if (problem !== told && send(problem)) told = problem;
    },
    forget() {
      told = undefined;
    },
  };
}
